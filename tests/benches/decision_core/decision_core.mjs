// The work of infra/decision-core by hand, as a service of its own would do it: verify and parse the signup, read what three
// providers answered, merge, gate, score, route, and write the CRM's body. No packages.
//
// In its favour: the mappings are code and no connector files, rules are code and no configuration, a domain is what stands after
// the @ (no list of public suffixes), a handful of throw-away domains instead of 50,000, floats instead of decimals, and no set of
// tracks that are still possible.
import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import { readFileSync } from "node:fs";

const PERSONAL = new Set(["gmail.com", "googlemail.com", "hotmail.com", "icloud.com", "outlook.com", "proton.me", "yahoo.com"]);
const DISPOSABLE = new Set(["10minutemail.com", "guerrillamail.com", "mailinator.com", "temp-mail.org", "yopmail.com"]);
const ROLES = new Set(["admin", "billing", "contact", "hello", "help", "info", "office", "sales", "support", "team"]);
const RELIABILITY = { crustdata: 8500, email: 10000, signup: 6000 };
const PRIOR = 7000;
const FLOOR = 5000;
const OWNERS = { ae_queue: ["ae-1", "ae-2"], sdr_queue: ["sdr-1"], sales_assist: ["se-1"] };
const DAY = 86_400_000;
const HALF_LIFE = { person: 180 * DAY, company: 365 * DAY, check: 30 * DAY };
const LIVES = { signup: HALF_LIFE.check, email: HALF_LIFE.check, product: HALF_LIFE.check, contact: HALF_LIFE.person, company: HALF_LIFE.company };
const OLDEST = 30 * DAY;
const [INFERRED, STATED, VALIDATED] = [0, 1, 2];

// --- The webhook ---

function verify({ headers, body }, secret, now) {
  let moment;
  const signatures = [];
  for (const entry of headers["x-millrace-signature"].split(",")) {
    const [name, value] = entry.trim().split("=");
    if (name === "t") moment = value;
    else if (name === "v1") signatures.push(Buffer.from(value, "hex"));
  }
  if (!/^\d+$/.test(moment) || Math.abs(Number(moment) - Math.floor(now / 1000)) > 300) throw new Error("stale");
  const mac = createHmac("sha256", secret).update(moment).update(".").update(body).digest();
  if (!signatures.some((signature) => signature.length === mac.length && timingSafeEqual(signature, mac))) throw new Error("refused");
}

function clean(value) {
  if (typeof value === "number") return String(value);
  if (typeof value !== "string") return undefined;
  const text = value.replace(/[\n\r\t]/g, " ").replace(/\p{Cc}/gu, "").slice(0, 512).trim();
  return text === "" ? undefined : text;
}

function parseEmail(text) {
  const email = text.trim().toLowerCase();
  if (email.length > 254 || !/^[a-z0-9.!#$%&'*+/=?^_`{|}~-]+@[a-z0-9-]+(\.[a-z0-9-]+)+$/.test(email)) throw new Error("no email");
  return email;
}

function profileUrl(text) {
  const url = new URL(text.includes("://") ? text : `https://${text}`);
  const host = url.hostname.replace(/^www\./, "");
  const path = url.pathname.split("/").filter(Boolean).map((segment) => segment.toLowerCase());
  if (host.endsWith("linkedin.com") && path[0] === "in" && path[1]) return `https://linkedin.com/in/${path[1]}`;
  return undefined;
}

function arrivalOf(source) {
  switch (source?.toLowerCase().replace(/[- ]/g, "_")) {
    case "waitlist": return "waitlist";
    case "contact_sales": case "contact_us": case "enterprise_inquiry": return "contact_sales";
    case "demo": case "demo_request": case "book_a_demo": return "demo_request";
    case "free_tier": case "free": return "free_tier";
    default: return "signup";
  }
}

function parse(body, now) {
  const form = JSON.parse(body);
  const email = parseEmail(form.email);
  const sentAt = Date.parse(form.timestamp);
  const when = Buffer.alloc(8);
  when.writeBigInt64BE(BigInt(sentAt));
  const names = [clean(form.first_name), clean(form.last_name)].filter(Boolean).join(" ");
  const known = ["email", "timestamp", "name", "first_name", "last_name", "company_name", "job_role", "linkedin_url", "signup_source"];
  const custom = {};
  for (const [name, value] of Object.entries(form)) {
    if (!known.includes(name) && (typeof value !== "object")) custom[name] = typeof value === "string" ? clean(value) : value;
  }
  const domain = email.slice(email.lastIndexOf("@") + 1);
  return {
    email,
    domain: PERSONAL.has(domain) ? undefined : domain,
    name: clean(form.name) ?? names,
    companyName: clean(form.company_name),
    jobRole: clean(form.job_role),
    source: clean(form.signup_source),
    arrival: arrivalOf(clean(form.signup_source)),
    socialUrl: form.linkedin_url && profileUrl(form.linkedin_url),
    occurredAt: Math.min(now, Math.max(now - OLDEST, sentAt)),
    delivery: `${email}:${createHash("sha256").update(when).digest("hex").slice(0, 12)}`,
    custom,
  };
}

// --- What sources say ---

function observe(field, value, source, at, stated = 10000, basis = STATED) {
  return { field, value, source, family: source.split(".")[0], at, stated, basis };
}

function ofSignup(signup) {
  const said = [];
  const say = (field, value, basis) => {
    if (value !== undefined) said.push(observe(field, value, "signup", signup.occurredAt, 10000, basis));
  };
  say("signup.arrival", signup.arrival, VALIDATED);
  say("signup.issuer", "signup", VALIDATED);
  say("signup.source", signup.source, STATED);
  say("contact.full_name", signup.name, STATED);
  say("contact.title", signup.jobRole, STATED);
  say("contact.linkedin_url", signup.socialUrl, STATED);
  say("company.name", signup.companyName, STATED);
  say("contact.email", signup.email, STATED);
  say("company.domain", signup.domain, STATED);
  say("product", signup.custom.product, STATED);
  return said;
}

function ofAddress(email, now) {
  const [local, domain] = email.split("@");
  const kind = DISPOSABLE.has(domain) ? "disposable" : PERSONAL.has(domain) ? "personal" : ROLES.has(local) ? "role" : "work";
  const say = (field, value) => observe(field, value, "email", now, 10000, VALIDATED);
  return [say("email.kind", kind), say("email.disposable", kind === "disposable"), say("email.role_account", kind === "role")];
}

const UNKNOWN = new Set(["-", "--", "n/a", "nan", "nil", "none", "not available", "not specified", "null", "undefined", "undisclosed", "unknown"]);
const COUNTRIES = { canada: "CA", france: "FR", germany: "DE", india: "IN", portugal: "PT", united_kingdom: "GB", united_states: "US" };

function text(value) {
  if (typeof value !== "string") return undefined;
  const spaced = value.split(/[\s\p{Cc}]+/u).filter(Boolean).join(" ");
  return spaced === "" || UNKNOWN.has(spaced.toLowerCase()) ? undefined : spaced;
}

function number(value) {
  if (typeof value === "number") return value;
  return typeof value === "string" && value.trim() !== "" && !Number.isNaN(Number(value)) ? Number(value) : undefined;
}

function folded(value) {
  const parts = value?.toLowerCase().split(/[^\p{L}\p{N}]+/u).filter(Boolean);
  return parts?.length ? parts.join("_") : undefined;
}

const word = (value) => folded(text(value));
const percent = (value) => { const n = number(value); return n === undefined ? undefined : n / 100; };
const positive = (value) => { const n = number(value); return n === undefined ? undefined : n > 0; };

function year(value) {
  const digits = String(value ?? "").split("-")[0];
  return /^\d{4}$/.test(digits) && digits >= "1500" && digits <= "2200" ? Number(digits) : undefined;
}

function date(value) {
  const said = text(value);
  return said && /^\d{4}-\d\d-\d\d($|[T ])/.test(said) && !Number.isNaN(Date.parse(said.slice(0, 10))) ? said.slice(0, 10) : undefined;
}

function url(value) {
  const said = text(value);
  if (!said) return undefined;
  const parsed = new URL(said.includes("://") ? said : `https://${said}`);
  return /^https?:$/.test(parsed.protocol) && parsed.hostname.includes(".") ? parsed.href : undefined;
}

function domain(value) {
  const said = text(value);
  return said?.replace(/^.*:\/\//, "").split(/[/?#:]/)[0].replace(/^www\./, "").toLowerCase();
}

function country(value) {
  const said = text(value);
  if (!said) return undefined;
  return COUNTRIES[folded(said)] ?? (/^[a-z]{2}$/i.test(said) ? said.toUpperCase() : said.toLowerCase());
}

function words(values) {
  if (!Array.isArray(values)) return undefined;
  const list = values.map(text).filter(Boolean).map((item) => item.toLowerCase()).slice(0, 200);
  return list.length ? [...new Set(list)].sort() : undefined;
}

function range(value) {
  const numbers = text(value)?.replace(/[,.]/g, "").match(/\d+/g)?.map(Number) ?? [];
  if (numbers.length === 2 && numbers[0] <= numbers[1]) return `${numbers[0]}-${numbers[1]}`;
  return numbers.length === 1 && value.includes("+") ? `${numbers[0]}+` : undefined;
}

function fundingStage(value) {
  const stage = word(value);
  const series = stage?.match(/(?:^|_)series_([a-z])(?:_|$)/);
  if (series) return `series_${series[1]}`;
  if (stage?.startsWith("pre_seed") || stage?.startsWith("preseed")) return "pre_seed";
  return /^(seed|angel|ipo|debt|grant)(_|$)/.exec(stage ?? "")?.[1] ?? stage;
}

const CHIEFS = new Set(["ceo", "cfo", "cio", "ciso", "cmo", "coo", "cpo", "cro", "cso", "cto", "chief", "president"]);

function seniority(value) {
  const level = word(value);
  if (!level) return undefined;
  const parts = level.split("_");
  const has = (...names) => parts.some((part) => names.includes(part));
  if (has("assistant", "secretary")) return undefined;
  if (level.includes("vice_president") || has("vp", "svp", "evp", "avp")) return "vp";
  if (parts.some((part) => CHIEFS.has(part))) return "c_level";
  if (has("founder", "cofounder")) return "founder";
  if (has("director") || level === "head" || level.startsWith("head_of")) return "director";
  if (has("manager")) return "manager";
  if (has("lead", "principal", "senior", "sr")) return "senior";
  return has("associate", "entry", "intern", "junior", "jr", "trainee") ? "entry" : undefined;
}

function monthsSince(value, now) {
  const said = date(value);
  if (!said) return undefined;
  const [then, today] = [new Date(said), new Date(now)];
  const months = (today.getUTCFullYear() - then.getUTCFullYear()) * 12 + today.getUTCMonth() - then.getUTCMonth();
  return today.getUTCDate() < then.getUTCDate() ? months - 1 : months;
}

function ofHit(source, confidence, now, said) {
  const stated = typeof confidence === "number" ? Math.round(confidence * 10000) : 10000;
  const known = said.filter(([, value]) => value !== undefined);
  return known.map(([field, value, basis]) => observe(field, value, source, now, stated, basis ?? STATED));
}

function ofCompany(answer, now) {
  const [{ matches: [hit] }] = JSON.parse(answer);
  const company = hit.company_data;
  const { basic_info: basics, headcount, funding, locations, web_traffic: traffic } = company;
  return ofHit("crustdata.company", hit.confidence_score, now, [
    ["company.name", text(basics?.name)],
    ["company.domain", domain(basics?.primary_domain)],
    ["company.website", url(basics?.website)],
    ["company.linkedin_url", url(basics?.professional_network_url)],
    ["company.founded_year", year(basics?.year_founded)],
    ["company.type", word(basics?.company_type)],
    ["company.headcount", number(headcount?.total)],
    ["company.headcount_range", range(basics?.employee_count_range)],
    ["company.headcount_growth", percent(headcount?.growth_percent)],
    ["company.industry", word(company.taxonomy?.professional_network_industry ?? basics?.industries?.[0])],
    ["company.revenue", number(company.revenue?.estimated?.lower_bound_usd)],
    ["company.funding_total", number(funding?.total_investment_usd)],
    ["company.funding_stage", fundingStage(funding?.last_round_type)],
    ["company.last_funding_at", date(funding?.last_fundraise_date)],
    ["company.investors", words(funding?.investors?.map((investor) => investor.name ?? investor))],
    ["company.country", country(locations?.hq_country)],
    ["company.state", text(locations?.hq_state)],
    ["company.city", text(locations?.hq_city)],
    ["company.web_traffic", number(traffic?.monthly_visitors)],
    ["company.traffic_trend_90d", number(traffic?.growth_90d)],
    ["company.job_postings", number(company.hiring?.openings)],
    ["company.hiring", positive(company.hiring?.openings), INFERRED],
    ["company.tech_stack", words(company.technographics?.technologies)],
  ]);
}

function ofFirm(answer, now) {
  const { organization: firm } = JSON.parse(answer);
  return ofHit("firmgraph.company", firm.confidence, now, [
    ["company.name", text(firm.name)],
    ["company.domain", domain(firm.primary_domain)],
    ["company.website", url(firm.website_url)],
    ["company.linkedin_url", url(firm.linkedin_url)],
    ["company.twitter", url(firm.twitter_url)],
    ["company.founded_year", year(firm.founded_year)],
    ["company.headcount", number(firm.estimated_num_employees)],
    ["company.industry", word(firm.industry)],
    ["company.revenue", number(firm.annual_revenue)],
    ["company.funding_total", number(firm.total_funding)],
    ["company.funding_stage", fundingStage(firm.latest_funding_stage)],
    ["company.last_funding_at", date(firm.latest_funding_round_date)],
    ["company.country", country(firm.country)],
    ["company.state", text(firm.state)],
    ["company.city", text(firm.city)],
    ["company.description", text(firm.short_description)],
    ["company.tech_stack", words(firm.technology_names)],
  ]);
}

function ofPerson(answer, now) {
  const [{ matches: [hit] }] = JSON.parse(answer);
  const { basic_profile: profile, experience, social_handles: handles } = hit.person_data;
  const job = experience?.employment_details?.current?.[0];
  const title = text(profile?.current_title);
  const level = seniority(job?.seniority_level);
  return ofHit("crustdata.person", hit.confidence_score, now, [
    ["contact.full_name", text(profile?.name)],
    title === undefined ? ["contact.title", text(job?.title), INFERRED] : ["contact.title", title],
    level === undefined ? ["contact.seniority", seniority(title ?? job?.title), INFERRED] : ["contact.seniority", level],
    ["contact.country", country(profile?.location?.country)],
    ["contact.location", text(profile?.location?.raw) ?? text(profile?.location?.country)],
    ["contact.linkedin_url", url(handles?.professional_network_identifier?.profile_url)],
    ["contact.tenure_months", monthsSince(job?.start_date, now), INFERRED],
    ["company.name", text(job?.name), INFERRED],
    ["company.domain", domain(job?.company_website_domain), INFERRED],
  ]);
}

// --- Merge ---

const fold = (said) => said.trim().split(/\s+/).join(" ").toLowerCase();
const LEGAL_FORMS = new Set(["ag", "bv", "co", "company", "corp", "corporation", "gmbh", "inc", "incorporated", "limited", "llc", "ltd", "plc", "sa"]);
const TITLE_WORDS = { dir: "director", engr: "engineer", jr: "junior", mgr: "manager", snr: "senior", sr: "senior", cofounder: "co founder" };
const FILLERS = new Set(["and", "of", "the"]);
const PHRASES = [["chief executive officer", "ceo"], ["chief technology officer", "cto"], ["senior vice president", "svp"], ["vice president", "vp"]];
const NORMAL = {
  "company.name": companyName,
  "contact.title": jobTitle,
  "company.website": page,
  "company.linkedin_url": page,
  "contact.linkedin_url": page,
};

function companyName(name) {
  const parts = fold(name.replaceAll(",", " ").replaceAll(".", "").replaceAll("&", " and ")).split(" ");
  while (parts.length > 1 && LEGAL_FORMS.has(parts.at(-1))) parts.pop();
  return parts.join(" ");
}

function jobTitle(title) {
  const parts = title.toLowerCase().replaceAll(".", "").split(/[^\p{L}\p{N}+#]+/u).filter((part) => part && !FILLERS.has(part));
  let joined = ` ${parts.map((part) => TITLE_WORDS[part] ?? part).join(" ")} `;
  for (const [phrase, short] of PHRASES) joined = joined.replaceAll(` ${phrase} `, ` ${short} `);
  return joined.trim();
}

function page(address) {
  const [bare, query] = fold(address).replace(/^.*:\/\//, "").split("#")[0].split("?");
  const path = bare.replace(/^www\./, "").replace(/:(443|80)(?=\/|$)/, "").replace(/\/+$/, "");
  const asked = (query ?? "").split("&").filter((pair) => pair && !/^(utm_|trk|ref=)/.test(pair)).sort();
  return asked.length ? `${path}?${asked.join("&")}` : path;
}

function normalForm(field, value) {
  if (Array.isArray(value)) return [...new Set(value.map(fold))].sort().join("\n");
  return typeof value === "string" ? (NORMAL[field] ?? fold)(value) : value;
}

const times = (a, b) => Math.floor((a * b) / 10000);

function halving(age, halfLife) {
  const halvings = Math.floor(age / halfLife);
  if (halvings >= 14) return 0;
  const whole = 10000 >> halvings;
  return whole - Math.floor((Math.floor(whole / 2) * Math.floor((age % halfLife) / 1000)) / (halfLife / 1000));
}

const reliabilityOf = (source) => RELIABILITY[source] ?? RELIABILITY[source.split(".")[0]] ?? PRIOR;
const compareValues = (a, b) => (String(a) < String(b) ? -1 : String(a) > String(b) ? 1 : 0);

function weigh(group, halfLife, now) {
  const strongest = new Map();
  const confirming = new Set();
  let [isReliable, basis, latest] = [false, INFERRED, group[0]];
  for (const seen of group) {
    const age = Math.max(0, now - seen.at);
    const reliability = reliabilityOf(seen.source);
    const worth = times(times(reliability, seen.stated), halving(age, halfLife));
    strongest.set(seen.family, Math.max(strongest.get(seen.family) ?? 0, worth));
    if (worth > 0 && seen.basis !== INFERRED && age <= 2 * halfLife) {
      confirming.add(seen.family);
      isReliable ||= reliability >= 7500;
    }
    basis = Math.max(basis, seen.basis);
    if (seen.at > latest.at || (seen.at === latest.at && compareValues(seen.value, latest.value) < 0)) latest = seen;
  }
  let doubt = 10000;
  for (const worth of strongest.values()) doubt = times(doubt, 10000 - worth);
  return { group, latest, support: 10000 - doubt, confirming, isReliable, basis, isOutdated: now - latest.at > 2 * halfLife };
}

const isValidated = (candidate) => candidate.basis === VALIDATED && !candidate.isOutdated;

function compareCandidates(a, b) {
  return isValidated(b) - isValidated(a) || b.support - a.support || b.latest.at - a.latest.at;
}

const EDGES = [10, 50, 200, 500, 1000, 5000, 10000];

function isNear(a, b) {
  if (a === b) return true;
  const [small, large] = a < b ? [a, b] : [b, a];
  const place = (n) => `${EDGES.filter((edge) => edge < n).length}/${EDGES.filter((edge) => edge <= n).length}`;
  return large * 4 <= small * 5 && place(a) === place(b);
}

function candidatesOf(field, seen, halfLife, now) {
  if (seen.every((one) => String(one.value) === String(seen[0].value))) return [weigh(seen, halfLife, now)];
  const groups = new Map();
  for (const one of seen) {
    const form = normalForm(field, one.value);
    groups.get(form)?.push(one) ?? groups.set(form, [one]);
  }
  let rest = [...groups].sort(([a], [b]) => (a < b ? -1 : 1));
  if (field !== "company.headcount") return rest.map(([, group]) => weigh(group, halfLife, now)).sort(compareCandidates);
  const candidates = [];
  while (rest.length) {
    let best;
    for (const [count] of rest) {
      const candidate = weigh(rest.filter(([other]) => isNear(count, other)).flatMap(([, group]) => group), halfLife, now);
      if (!best || compareCandidates(candidate, best.candidate) < 0) best = { count, candidate };
    }
    rest = rest.filter(([other]) => !isNear(best.count, other));
    candidates.push(best.candidate);
  }
  return candidates;
}

function capped(confidence, { basis, isOutdated, families, isConsistent }) {
  if (basis === VALIDATED && !isOutdated) return Math.max(confidence, 9000);
  if (basis === INFERRED || isOutdated) return Math.min(confidence, 4999);
  if (families >= 2) return confidence;
  return Math.min(confidence, isConsistent ? 8999 : 7499);
}

function standing({ best, others }) {
  const basis = isValidated(best) && others.some(isValidated) ? STATED : best.basis;
  return { families: best.confirming.size, basis, isOutdated: best.isOutdated, isConsistent: false };
}

const PER_HEAD = [
  [["education", "government", "nonprofit", "school"], 2_000, 1_000_000],
  [["bank", "banking", "finance", "financial", "fintech", "insurance"], 10_000, 20_000_000],
  [["energy", "gas", "mining", "oil", "utilities"], 20_000, 50_000_000],
  [["computer", "internet", "it", "saas", "software", "technology"], 5_000, 3_000_000],
  [["consulting", "legal", "marketing", "services"], 10_000, 2_000_000],
];

function revenueFits(headcount, revenue, industry) {
  if (!(headcount > 0) || !(revenue > 0)) return undefined;
  const parts = (industry ?? "").toLowerCase().split(/[^\p{L}\p{N}]/u);
  const [, low, high] = PER_HEAD.find(([names]) => names.some((name) => parts.includes(name))) ?? [[], 5_000, 5_000_000];
  return revenue >= low * headcount && revenue <= high * headcount;
}

const RUNGS = { entry: 0, senior: 1, manager: 2, director: 3, vp: 4, c_level: 5, founder: 5, owner: 5, partner: 5 };

function titleFits(title, level) {
  if (title === undefined || level === undefined) return undefined;
  const named = RUNGS[seniority(jobTitle(title))];
  if (RUNGS[level] === undefined || named === undefined) return undefined;
  const apart = Math.abs(RUNGS[level] - named);
  return apart === 0 ? true : apart >= 3 ? false : undefined;
}

function checkOf(field, value, known) {
  switch (field) {
    case "company.headcount": return revenueFits(value, known("company.revenue"), known("company.industry"));
    case "company.revenue": return revenueFits(known("company.headcount"), value, known("company.industry"));
    case "contact.title": return titleFits(value, known("contact.seniority"));
    case "contact.seniority": return titleFits(known("contact.title"), value);
    default: return undefined;
  }
}

function merge(observations, now) {
  const byField = new Map();
  for (const one of observations) byField.get(one.field)?.push(one) ?? byField.set(one.field, [one]);
  const weighed = new Map();
  for (const field of [...byField.keys()].sort()) {
    const [best, ...others] = candidatesOf(field, byField.get(field), LIVES[field.split(".")[0]], now);
    const contested = others.reduce((left, other) => times(left, 10000 - times(5000, other.support)), best.support);
    weighed.set(field, { best, others, contested });
  }
  const known = (field) => {
    const one = weighed.get(field);
    if (!one) return undefined;
    const stands = standing(one);
    return stands.basis !== INFERRED && !stands.isOutdated && capped(one.contested, stands) >= FLOOR ? one.best.latest.value : undefined;
  };
  const facts = new Map();
  for (const [field, one] of weighed) {
    const stands = standing(one);
    const passed = checkOf(field, one.best.latest.value, known);
    if (passed) stands.isConsistent = one.best.isReliable;
    facts.set(field, {
      value: one.best.latest.value,
      confidence: capped(passed === false ? times(one.contested, 7500) : one.contested, stands),
      sources: [...new Set(one.best.group.map((seen) => seen.source))].sort(),
      confirmations: one.best.confirming.size,
      observedAt: one.best.latest.at,
      conflicts: one.others.map((other) => other.latest.value),
      checks: passed === undefined ? [] : [passed],
    });
  }
  return facts;
}

// --- The decision ---

const FUNDED = new Set(["series_a", "series_b", "series_c"]);
const DECIDERS = new Set(["director", "vp", "c_level"]);
const SALES = new Set(["contact_sales", "demo_request"]);
const DECIDED_BY = ["company.funding_stage", "company.headcount", "company.tech_stack", "company.traffic_trend_90d", "contact.seniority", "signup.arrival"];

// A rule says true, false, or undefined while what it reads is not known.
const when = (value, holds) => (value === undefined ? undefined : holds(value));
const SCORE = [
  [(view) => when(view("company.headcount"), (n) => n >= 50 && n <= 5000), 30, "headcount between 50 and 5000"],
  [(view) => when(view("company.funding_stage"), (stage) => FUNDED.has(stage)), 25, "funded between series A and C"],
  [(view) => when(view("company.tech_stack"), (stack) => stack.includes("kubernetes") || stack.includes("aws")), 20, "runs Kubernetes or AWS"],
  [(view) => when(view("contact.seniority"), (level) => DECIDERS.has(level)), 15, "a person who decides"],
  [(view) => when(view("company.traffic_trend_90d"), (trend) => trend > 0.15), 10, "web traffic grew by more than 15 % in 90 days"],
];

function decide(facts) {
  const view = (field) => {
    const fact = facts.get(field);
    return fact && fact.confidence >= FLOOR ? fact.value : undefined;
  };
  const gate = view("email.disposable") === true ? "verify" : "pass";
  const score = { low: 0, high: 0, points: [], unknowns: [] };
  for (const [holds, points, because] of SCORE) {
    const answer = holds(view);
    if (answer === true) score.low += points;
    if (answer !== false) score.high += points;
    if (answer === true) score.points.push({ points, because });
    if (answer === undefined) score.unknowns.push({ points, because });
  }
  score.low = Math.min(100, Math.max(0, score.low));
  score.high = Math.min(100, Math.max(0, score.high));
  const sixty = score.low >= 60 ? true : score.high < 60 ? false : undefined;
  const asked = when(view("signup.arrival"), (arrival) => SALES.has(arrival));
  const both = asked === false || sixty === false ? false : asked === undefined || sixty === undefined ? undefined : true;
  const rules = [
    [when(view("company.headcount"), (n) => n > 5000), "sales_assist", "a very large company goes to sales whatever its score"],
    [both, "ae_queue", "asked for sales and scored 60 or more"],
    [asked, "sdr_queue", "asked for sales"],
    [sixty, "ae_queue", "scored 60 or more"],
  ];
  let route = gate === "verify" ? { track: "verification", because: ["held until verified"] } : undefined;
  for (const [holds, track, because] of rules) {
    if (route || holds === false) continue;
    route = holds === true ? { track, because: [because] } : { track: "self_serve", because: [`could still be ${track}`], provisional: true };
  }
  route ??= { track: "self_serve", because: ["no rule holds, so self_serve"] };
  return { gate, score, route, owner: OWNERS[route.track]?.[0] };
}

function crmBody(facts, decision) {
  const value = (field) => (facts.has(field) ? String(facts.get(field).value) : undefined);
  const sources = [...facts.values()].flatMap((fact) => fact.sources.map((source) => source.split(".")[0]));
  const providers = [...new Set(sources)].filter((name) => name !== "signup" && name !== "email").sort().join(",");
  const lowest = Math.min(...DECIDED_BY.filter((field) => facts.has(field)).map((field) => facts.get(field).confidence));
  const confidence = `${Math.floor(lowest / 10000)}.${String(Math.floor((lowest % 10000) / 100)).padStart(2, "0")}`;
  return JSON.stringify({
    properties: {
      company: value("company.name"),
      company_funding_stage: value("company.funding_stage"),
      company_headcount: value("company.headcount"),
      crm_owner_id: decision.owner,
      enrichment_confidence: confidence,
      enrichment_provider: providers || undefined,
      jobtitle: value("contact.title"),
      person_seniority: value("contact.seniority"),
      plg_lead_score: String(decision.score.low),
      routing_track: decision.route.track,
    },
  });
}

function decideOnce(input) {
  verify(input.request, input.request.secret, input.request.now_ms);
  const now = input.request.now_ms;
  const signup = parse(input.request.body, now);
  const observations = [
    ...ofSignup(signup),
    ...ofAddress(signup.email, now),
    ...ofCompany(input.company, now),
    ...ofFirm(input.firm, now),
    ...ofPerson(input.person, now),
  ];
  const facts = merge(observations, now);
  return { facts, body: crmBody(facts, decide(facts)) };
}

const [folder, times_] = process.argv.slice(2);
const answer = (name) => readFileSync(`${folder}/answers/${name}.json`, "utf8");
const input = {
  request: JSON.parse(readFileSync(`${folder}/request.json`, "utf8")),
  company: answer("crustdata.company"),
  firm: answer("firmgraph.company"),
  person: answer("crustdata.person"),
};
let decided;
for (let time = 0; time < Number(times_); time++) decided = decideOnce(input);
console.log(decided.body);
for (const [field, fact] of decided.facts) {
  console.log(`${field} ${fact.confidence} ${Array.isArray(fact.value) ? fact.value.join(", ") : fact.value}`);
}
