"""The work of infra/decision-core by hand, as a service of its own would do it: verify and parse the signup, read what three
providers answered, merge, gate, score, route, and write the CRM's body. No packages.

In its favour: the same as in decision_core.mjs.
"""

import hashlib
import hmac
import json
import re
import sys
from datetime import date as Date
from datetime import datetime, timezone
from urllib.parse import urlsplit

PERSONAL = {"gmail.com", "googlemail.com", "hotmail.com", "icloud.com", "outlook.com", "proton.me", "yahoo.com"}
DISPOSABLE = {"10minutemail.com", "guerrillamail.com", "mailinator.com", "temp-mail.org", "yopmail.com"}
ROLES = {"admin", "billing", "contact", "hello", "help", "info", "office", "sales", "support", "team"}
RELIABILITY = {"crustdata": 8500, "email": 10000, "signup": 6000}
PRIOR = 7000
FLOOR = 5000
OWNERS = {"ae_queue": ["ae-1", "ae-2"], "sdr_queue": ["sdr-1"], "sales_assist": ["se-1"]}
DAY = 86_400_000
PERSON, COMPANY, CHECK = 180 * DAY, 365 * DAY, 30 * DAY
LIVES = {"signup": CHECK, "email": CHECK, "product": CHECK, "contact": PERSON, "company": COMPANY}
OLDEST = 30 * DAY
INFERRED, STATED, VALIDATED = 0, 1, 2

# --- The webhook ---


def verify(request, now):
    moment, signatures = None, []
    for entry in request["headers"]["x-millrace-signature"].split(","):
        name, _, value = entry.strip().partition("=")
        if name == "t":
            moment = value
        elif name == "v1":
            signatures.append(bytes.fromhex(value))
    if moment is None or not moment.isdigit() or abs(int(moment) - now // 1000) > 300:
        raise ValueError("stale")
    mac = hmac.digest(request["secret"].encode(), f"{moment}.{request['body']}".encode(), "sha256")
    if not any(hmac.compare_digest(mac, signature) for signature in signatures):
        raise ValueError("refused")


CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
EMAIL = re.compile(r"[a-z0-9.!#$%&'*+/=?^_`{|}~-]+@[a-z0-9-]+(\.[a-z0-9-]+)+")
ARRIVALS = {
    "waitlist": "waitlist",
    "contact_sales": "contact_sales",
    "contact_us": "contact_sales",
    "enterprise_inquiry": "contact_sales",
    "demo": "demo_request",
    "demo_request": "demo_request",
    "book_a_demo": "demo_request",
    "free_tier": "free_tier",
    "free": "free_tier",
}
KNOWN = {"email", "timestamp", "name", "first_name", "last_name", "company_name", "job_role", "linkedin_url", "signup_source"}


def clean(value):
    if isinstance(value, (int, float)):
        return str(value)
    if not isinstance(value, str):
        return None
    spaced = value.replace("\n", " ").replace("\r", " ").replace("\t", " ")
    return CONTROL.sub("", spaced)[:512].strip() or None


def parse_email(text):
    email = text.strip().lower()
    if len(email) > 254 or not EMAIL.fullmatch(email):
        raise ValueError("no email")
    return email


def profile_url(text):
    url = urlsplit(text if "://" in text else f"https://{text}")
    path = [segment.lower() for segment in url.path.split("/") if segment]
    is_person = (url.hostname or "").endswith("linkedin.com") and len(path) > 1 and path[0] == "in"
    return f"https://linkedin.com/in/{path[1]}" if is_person else None


def parse(body, now):
    form = json.loads(body)
    email = parse_email(form["email"])
    sent = datetime.fromisoformat(form["timestamp"].replace("Z", "+00:00"))
    sent_at = round(sent.timestamp() * 1000)
    source = clean(form.get("signup_source"))
    names = " ".join(filter(None, [clean(form.get("first_name")), clean(form.get("last_name"))]))
    custom = {}
    for name, value in form.items():
        if name not in KNOWN and not isinstance(value, (dict, list)):
            custom[name] = clean(value) if isinstance(value, str) else value
    domain = email.rpartition("@")[2]
    when = hashlib.sha256(sent_at.to_bytes(8, "big")).hexdigest()[:12]
    url = form.get("linkedin_url")
    return {
        "email": email,
        "domain": None if domain in PERSONAL else domain,
        "name": clean(form.get("name")) or names,
        "company_name": clean(form.get("company_name")),
        "job_role": clean(form.get("job_role")),
        "source": source,
        "arrival": ARRIVALS.get((source or "").lower().replace("-", "_").replace(" ", "_"), "signup"),
        "social_url": profile_url(url) if url else None,
        "occurred_at": min(now, max(now - OLDEST, sent_at)),
        "delivery": f"{email}:{when}",
        "custom": custom,
    }


# --- What sources say ---


class Observation:
    __slots__ = ("field", "value", "source", "family", "at", "stated", "basis")

    def __init__(self, field, value, source, at, stated=10000, basis=STATED):
        self.field, self.value, self.source, self.family = field, value, source, source.partition(".")[0]
        self.at, self.stated, self.basis = at, stated, basis


def of_signup(signup):
    said = [
        ("signup.arrival", signup["arrival"], VALIDATED),
        ("signup.issuer", "signup", VALIDATED),
        ("signup.source", signup["source"], STATED),
        ("contact.full_name", signup["name"], STATED),
        ("contact.title", signup["job_role"], STATED),
        ("contact.linkedin_url", signup["social_url"], STATED),
        ("company.name", signup["company_name"], STATED),
        ("contact.email", signup["email"], STATED),
        ("company.domain", signup["domain"], STATED),
        ("product", signup["custom"].get("product"), STATED),
    ]
    at = signup["occurred_at"]
    return [Observation(field, value, "signup", at, 10000, basis) for field, value, basis in said if value is not None]


def of_address(email, now):
    local, _, domain = email.partition("@")
    if domain in DISPOSABLE:
        kind = "disposable"
    elif domain in PERSONAL:
        kind = "personal"
    else:
        kind = "role" if local in ROLES else "work"
    said = [("email.kind", kind), ("email.disposable", kind == "disposable"), ("email.role_account", kind == "role")]
    return [Observation(field, value, "email", now, 10000, VALIDATED) for field, value in said]


UNKNOWN = {"-", "--", "n/a", "nan", "nil", "none", "not available", "not specified", "null", "undefined", "undisclosed", "unknown"}
COUNTRIES = {"canada": "CA", "france": "FR", "germany": "DE", "india": "IN", "portugal": "PT", "united_kingdom": "GB", "united_states": "US"}
NO_WORD = re.compile(r"[\W_]+")
DATE = re.compile(r"\d{4}-\d\d-\d\d($|[T ])")
SERIES = re.compile(r"(?:^|_)series_([a-z])(?:_|$)")
ROUND = re.compile(r"(seed|angel|ipo|debt|grant)(_|$)")
CHIEFS = {"ceo", "cfo", "cio", "ciso", "cmo", "coo", "cpo", "cro", "cso", "cto", "chief", "president"}


def text(value):
    if not isinstance(value, str):
        return None
    spaced = " ".join(CONTROL.sub(" ", value).split())
    return None if spaced == "" or spaced.lower() in UNKNOWN else spaced


def number(value):
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return value
    try:
        return float(value) if isinstance(value, str) else None
    except ValueError:
        return None


def folded(value):
    return "_".join(filter(None, NO_WORD.split(value.lower()))) or None


def word(value):
    said = text(value)
    return folded(said) if said else None


def percent(value):
    count = number(value)
    return None if count is None else count / 100


def positive(value):
    count = number(value)
    return None if count is None else count > 0


def year(value):
    digits = str(value).partition("-")[0]
    return int(digits) if len(digits) == 4 and digits.isdigit() and 1500 <= int(digits) <= 2200 else None


def date(value):
    said = text(value)
    if not said or not DATE.match(said):
        return None
    try:
        return Date.fromisoformat(said[:10]).isoformat()
    except ValueError:
        return None


def url(value):
    said = text(value)
    if not said:
        return None
    parsed = urlsplit(said if "://" in said else f"https://{said}")
    if parsed.scheme not in ("http", "https") or "." not in (parsed.hostname or ""):
        return None
    return parsed._replace(netloc=parsed.netloc.lower(), path=parsed.path or "/").geturl()


def domain(value):
    said = text(value)
    if not said:
        return None
    host = re.split(r"[/?#:]", said.rpartition("://")[2])[0].lower()
    return host.removeprefix("www.")


def country(value):
    said = text(value)
    if not said:
        return None
    code = COUNTRIES.get(folded(said))
    return code or (said.upper() if len(said) == 2 and said.isalpha() else said.lower())


def words(values):
    if not isinstance(values, list):
        return None
    return sorted({said.lower() for said in map(text, values[:200]) if said}) or None


def employee_range(value):
    said = text(value) or ""
    numbers = [int(digits) for digits in re.findall(r"\d+", said.replace(",", "").replace(".", ""))]
    if len(numbers) == 2 and numbers[0] <= numbers[1]:
        return f"{numbers[0]}-{numbers[1]}"
    return f"{numbers[0]}+" if len(numbers) == 1 and "+" in said else None


def funding_stage(value):
    stage = word(value)
    if not stage:
        return None
    series = SERIES.search(stage)
    if series:
        return f"series_{series[1]}"
    if stage.startswith(("pre_seed", "preseed")):
        return "pre_seed"
    known = ROUND.match(stage)
    return known[1] if known else stage


def seniority(value):
    level = word(value)
    if not level:
        return None
    parts = set(level.split("_"))
    if parts & {"assistant", "secretary"}:
        return None
    if "vice_president" in level or parts & {"vp", "svp", "evp", "avp"}:
        return "vp"
    if parts & CHIEFS:
        return "c_level"
    if parts & {"founder", "cofounder"}:
        return "founder"
    if "director" in parts or level == "head" or level.startswith("head_of"):
        return "director"
    if "manager" in parts:
        return "manager"
    if parts & {"lead", "principal", "senior", "sr"}:
        return "senior"
    return "entry" if parts & {"associate", "entry", "intern", "junior", "jr", "trainee"} else None


def months_since(value, now):
    said = date(value)
    if not said:
        return None
    then, today = Date.fromisoformat(said), datetime.fromtimestamp(now / 1000, timezone.utc)
    months = (today.year - then.year) * 12 + today.month - then.month
    return months - 1 if today.day < then.day else months


def of_hit(source, confidence, now, said):
    stated = round(confidence * 10000) if isinstance(confidence, (int, float)) else 10000
    return [Observation(field, value, source, now, stated, basis) for field, value, basis in said if value is not None]


def of_company(answer, now):
    hit = json.loads(answer)[0]["matches"][0]
    company = hit["company_data"]
    basics, headcount = company.get("basic_info", {}), company.get("headcount", {})
    funding, locations, traffic = company.get("funding", {}), company.get("locations", {}), company.get("web_traffic", {})
    investors = [investor.get("name") for investor in funding.get("investors", [])]
    openings = company.get("hiring", {}).get("openings")
    industry = company.get("taxonomy", {}).get("professional_network_industry") or basics.get("industries", [None])[0]
    return of_hit(
        "crustdata.company",
        hit.get("confidence_score"),
        now,
        [
            ("company.name", text(basics.get("name")), STATED),
            ("company.domain", domain(basics.get("primary_domain")), STATED),
            ("company.website", url(basics.get("website")), STATED),
            ("company.linkedin_url", url(basics.get("professional_network_url")), STATED),
            ("company.founded_year", year(basics.get("year_founded")), STATED),
            ("company.type", word(basics.get("company_type")), STATED),
            ("company.headcount", number(headcount.get("total")), STATED),
            ("company.headcount_range", employee_range(basics.get("employee_count_range")), STATED),
            ("company.headcount_growth", percent(headcount.get("growth_percent")), STATED),
            ("company.industry", word(industry), STATED),
            ("company.revenue", number(company.get("revenue", {}).get("estimated", {}).get("lower_bound_usd")), STATED),
            ("company.funding_total", number(funding.get("total_investment_usd")), STATED),
            ("company.funding_stage", funding_stage(funding.get("last_round_type")), STATED),
            ("company.last_funding_at", date(funding.get("last_fundraise_date")), STATED),
            ("company.investors", words(investors), STATED),
            ("company.country", country(locations.get("hq_country")), STATED),
            ("company.state", text(locations.get("hq_state")), STATED),
            ("company.city", text(locations.get("hq_city")), STATED),
            ("company.web_traffic", number(traffic.get("monthly_visitors")), STATED),
            ("company.traffic_trend_90d", number(traffic.get("growth_90d")), STATED),
            ("company.job_postings", number(openings), STATED),
            ("company.hiring", positive(openings), INFERRED),
            ("company.tech_stack", words(company.get("technographics", {}).get("technologies")), STATED),
        ],
    )


def of_firm(answer, now):
    firm = json.loads(answer)["organization"]
    return of_hit(
        "firmgraph.company",
        firm.get("confidence"),
        now,
        [
            ("company.name", text(firm.get("name")), STATED),
            ("company.domain", domain(firm.get("primary_domain")), STATED),
            ("company.website", url(firm.get("website_url")), STATED),
            ("company.linkedin_url", url(firm.get("linkedin_url")), STATED),
            ("company.twitter", url(firm.get("twitter_url")), STATED),
            ("company.founded_year", year(firm.get("founded_year")), STATED),
            ("company.headcount", number(firm.get("estimated_num_employees")), STATED),
            ("company.industry", word(firm.get("industry")), STATED),
            ("company.revenue", number(firm.get("annual_revenue")), STATED),
            ("company.funding_total", number(firm.get("total_funding")), STATED),
            ("company.funding_stage", funding_stage(firm.get("latest_funding_stage")), STATED),
            ("company.last_funding_at", date(firm.get("latest_funding_round_date")), STATED),
            ("company.country", country(firm.get("country")), STATED),
            ("company.state", text(firm.get("state")), STATED),
            ("company.city", text(firm.get("city")), STATED),
            ("company.description", text(firm.get("short_description")), STATED),
            ("company.tech_stack", words(firm.get("technology_names")), STATED),
        ],
    )


def of_person(answer, now):
    hit = json.loads(answer)[0]["matches"][0]
    person = hit["person_data"]
    profile = person.get("basic_profile", {})
    location = profile.get("location", {})
    job = (person.get("experience", {}).get("employment_details", {}).get("current") or [{}])[0]
    handle = person.get("social_handles", {}).get("professional_network_identifier", {})
    title, level = text(profile.get("current_title")), seniority(job.get("seniority_level"))
    said_title = ("contact.title", title, STATED) if title else ("contact.title", text(job.get("title")), INFERRED)
    inferred = seniority(title or job.get("title")) if level is None else None
    said_level = ("contact.seniority", level, STATED) if level else ("contact.seniority", inferred, INFERRED)
    return of_hit(
        "crustdata.person",
        hit.get("confidence_score"),
        now,
        [
            ("contact.full_name", text(profile.get("name")), STATED),
            said_title,
            said_level,
            ("contact.country", country(location.get("country")), STATED),
            ("contact.location", text(location.get("raw")) or text(location.get("country")), STATED),
            ("contact.linkedin_url", url(handle.get("profile_url")), STATED),
            ("contact.tenure_months", months_since(job.get("start_date"), now), INFERRED),
            ("company.name", text(job.get("name")), INFERRED),
            ("company.domain", domain(job.get("company_website_domain")), INFERRED),
        ],
    )


# --- Merge ---

LEGAL_FORMS = {"ag", "bv", "co", "company", "corp", "corporation", "gmbh", "inc", "incorporated", "limited", "llc", "ltd", "plc", "sa"}
TITLE_WORDS = {"dir": "director", "engr": "engineer", "jr": "junior", "mgr": "manager", "snr": "senior", "sr": "senior", "cofounder": "co founder"}
FILLERS = {"and", "of", "the"}
PHRASES = [("chief executive officer", "ceo"), ("chief technology officer", "cto"), ("senior vice president", "svp"), ("vice president", "vp")]
NO_TITLE = re.compile(r"[^\w+#]+")
PORT = re.compile(r":(443|80)(?=/|$)")
TRACKING = re.compile(r"utm_|trk|ref=")


def fold(said):
    return " ".join(said.split()).lower()


def company_name(name):
    parts = fold(name.replace(",", " ").replace(".", "").replace("&", " and ")).split(" ")
    while len(parts) > 1 and parts[-1] in LEGAL_FORMS:
        parts.pop()
    return " ".join(parts)


def job_title(title):
    parts = [part for part in NO_TITLE.split(title.lower().replace(".", "")) if part and part not in FILLERS]
    joined = f" {' '.join(TITLE_WORDS.get(part, part) for part in parts)} "
    for phrase, short in PHRASES:
        joined = joined.replace(f" {phrase} ", f" {short} ")
    return joined.strip()


def page(address):
    bare, _, query = fold(address).rpartition("://")[2].partition("#")[0].partition("?")
    path = PORT.sub("", bare.removeprefix("www.")).rstrip("/")
    asked = sorted(pair for pair in query.split("&") if pair and not TRACKING.match(pair))
    return f"{path}?{'&'.join(asked)}" if asked else path


NORMAL = {
    "company.name": company_name,
    "contact.title": job_title,
    "company.website": page,
    "company.linkedin_url": page,
    "contact.linkedin_url": page,
}


def normal_form(field, value):
    if isinstance(value, list):
        return tuple(sorted({fold(item) for item in value}))
    return NORMAL.get(field, fold)(value) if isinstance(value, str) else value


def times(a, b):
    return a * b // 10000


def halving(age, half_life):
    halvings, into_next = divmod(age, half_life)
    if halvings >= 14:
        return 0
    whole = 10000 >> halvings
    return whole - whole // 2 * (into_next // 1000) // (half_life // 1000)


def reliability_of(source):
    return RELIABILITY.get(source) or RELIABILITY.get(source.partition(".")[0], PRIOR)


class Candidate:
    __slots__ = ("group", "latest", "support", "confirming", "is_reliable", "basis", "is_outdated", "is_validated")

    def __init__(self, group, half_life, now):
        strongest, confirming, is_reliable, latest = {}, set(), False, group[0]
        for seen in group:
            age = max(0, now - seen.at)
            reliability = reliability_of(seen.source)
            worth = times(times(reliability, seen.stated), halving(age, half_life))
            strongest[seen.family] = max(strongest.get(seen.family, 0), worth)
            if worth > 0 and seen.basis != INFERRED and age <= 2 * half_life:
                confirming.add(seen.family)
                is_reliable = is_reliable or reliability >= 7500
            if seen.at > latest.at or (seen.at == latest.at and seen.value < latest.value):
                latest = seen
        doubt = 10000
        for worth in strongest.values():
            doubt = times(doubt, 10000 - worth)
        self.group, self.latest, self.support = group, latest, 10000 - doubt
        self.confirming, self.is_reliable, self.basis = confirming, is_reliable, max(seen.basis for seen in group)
        self.is_outdated = now - latest.at > 2 * half_life
        self.is_validated = self.basis == VALIDATED and not self.is_outdated

    def rank(self):
        return (self.is_validated, self.support, self.latest.at)


EDGES = [10, 50, 200, 500, 1000, 5000, 10000]


def is_near(a, b):
    if a == b:
        return True
    small, large = min(a, b), max(a, b)
    place = [(sum(edge < n for edge in EDGES), sum(edge <= n for edge in EDGES)) for n in (a, b)]
    return large * 4 <= small * 5 and place[0] == place[1]


def candidates_of(field, seen, half_life, now):
    if all(one.value == seen[0].value for one in seen):
        return [Candidate(seen, half_life, now)]
    groups = {}
    for one in seen:
        groups.setdefault(normal_form(field, one.value), []).append(one)
    rest = sorted(groups.items(), key=lambda pair: pair[0])
    if field != "company.headcount":
        return sorted((Candidate(group, half_life, now) for _, group in rest), key=Candidate.rank, reverse=True)
    candidates = []
    while rest:
        best, best_count = None, None
        for count, _ in rest:
            agreeing = [one for other, group in rest if is_near(count, other) for one in group]
            candidate = Candidate(agreeing, half_life, now)
            if best is None or candidate.rank() > best.rank():
                best, best_count = candidate, count
        rest = [(other, group) for other, group in rest if not is_near(best_count, other)]
        candidates.append(best)
    return candidates


def capped(confidence, basis, is_outdated, families, is_consistent):
    if basis == VALIDATED and not is_outdated:
        return max(confidence, 9000)
    if basis == INFERRED or is_outdated:
        return min(confidence, 4999)
    if families >= 2:
        return confidence
    return min(confidence, 8999 if is_consistent else 7499)


class Weighed:
    __slots__ = ("best", "others", "contested", "basis")

    def __init__(self, candidates):
        self.best, self.others = candidates[0], candidates[1:]
        self.contested = self.best.support
        for other in self.others:
            self.contested = times(self.contested, 10000 - times(5000, other.support))
        is_disputed = self.best.is_validated and any(other.is_validated for other in self.others)
        self.basis = STATED if is_disputed else self.best.basis

    def capped(self, left, is_consistent=False):
        return capped(left, self.basis, self.best.is_outdated, len(self.best.confirming), is_consistent)


PER_HEAD = [
    ({"education", "government", "nonprofit", "school"}, 2_000, 1_000_000),
    ({"bank", "banking", "finance", "financial", "fintech", "insurance"}, 10_000, 20_000_000),
    ({"energy", "gas", "mining", "oil", "utilities"}, 20_000, 50_000_000),
    ({"computer", "internet", "it", "saas", "software", "technology"}, 5_000, 3_000_000),
    ({"consulting", "legal", "marketing", "services"}, 10_000, 2_000_000),
]
RUNGS = {"entry": 0, "senior": 1, "manager": 2, "director": 3, "vp": 4, "c_level": 5, "founder": 5, "owner": 5, "partner": 5}


def revenue_fits(headcount, revenue, industry):
    if not headcount or not revenue or headcount < 0 or revenue < 0:
        return None
    parts = set(NO_WORD.split((industry or "").lower()))
    low, high = next(((low, high) for names, low, high in PER_HEAD if names & parts), (5_000, 5_000_000))
    return low * headcount <= revenue <= high * headcount


def title_fits(title, level):
    if title is None or level is None:
        return None
    said, named = RUNGS.get(level), RUNGS.get(seniority(job_title(title)))
    if said is None or named is None:
        return None
    apart = abs(said - named)
    return True if apart == 0 else (False if apart >= 3 else None)


def check_of(field, value, known):
    if field == "company.headcount":
        return revenue_fits(value, known("company.revenue"), known("company.industry"))
    if field == "company.revenue":
        return revenue_fits(known("company.headcount"), value, known("company.industry"))
    if field == "contact.title":
        return title_fits(value, known("contact.seniority"))
    if field == "contact.seniority":
        return title_fits(known("contact.title"), value)
    return None


def merge(observations, now):
    by_field = {}
    for one in observations:
        by_field.setdefault(one.field, []).append(one)
    weighed = {}
    for field in sorted(by_field):
        weighed[field] = Weighed(candidates_of(field, by_field[field], LIVES[field.partition(".")[0]], now))

    def known(field):
        one = weighed.get(field)
        if one is None or one.basis == INFERRED or one.best.is_outdated or one.capped(one.contested) < FLOOR:
            return None
        return one.best.latest.value

    facts = {}
    for field, one in weighed.items():
        passed = check_of(field, one.best.latest.value, known)
        left = times(one.contested, 7500) if passed is False else one.contested
        facts[field] = {
            "value": one.best.latest.value,
            "confidence": one.capped(left, passed is True and one.best.is_reliable),
            "sources": sorted({seen.source for seen in one.best.group}),
            "confirmations": len(one.best.confirming),
            "observed_at": one.best.latest.at,
            "conflicts": [other.latest.value for other in one.others],
            "checks": [] if passed is None else [passed],
        }
    return facts


# --- The decision ---

FUNDED = {"series_a", "series_b", "series_c"}
DECIDERS = {"director", "vp", "c_level"}
SALES = {"contact_sales", "demo_request"}
DECIDED_BY = ["company.funding_stage", "company.headcount", "company.tech_stack", "company.traffic_trend_90d", "contact.seniority", "signup.arrival"]
# A rule says true, false, or None while what it reads is not known.
SCORE = [
    ("company.headcount", lambda count: 50 <= count <= 5000, 30, "headcount between 50 and 5000"),
    ("company.funding_stage", lambda stage: stage in FUNDED, 25, "funded between series A and C"),
    ("company.tech_stack", lambda stack: "kubernetes" in stack or "aws" in stack, 20, "runs Kubernetes or AWS"),
    ("contact.seniority", lambda level: level in DECIDERS, 15, "a person who decides"),
    ("company.traffic_trend_90d", lambda trend: trend > 0.15, 10, "web traffic grew by more than 15 % in 90 days"),
]


def decide(facts):
    def when(field, holds):
        fact = facts.get(field)
        return None if fact is None or fact["confidence"] < FLOOR else holds(fact["value"])

    gate = "verify" if when("email.disposable", lambda disposable: disposable) else "pass"
    low, high, points_of, unknowns = 0, 0, [], []
    for field, holds, points, because in SCORE:
        answer = when(field, holds)
        if answer is True:
            low += points
            points_of.append((points, because))
        if answer is not False:
            high += points
        if answer is None:
            unknowns.append((points, because, field))
    low, high = min(100, max(0, low)), min(100, max(0, high))
    sixty = True if low >= 60 else (False if high < 60 else None)
    asked = when("signup.arrival", lambda arrival: arrival in SALES)
    both = False if asked is False or sixty is False else (None if asked is None or sixty is None else True)
    rules = [
        (when("company.headcount", lambda count: count > 5000), "sales_assist", "a very large company goes to sales whatever its score"),
        (both, "ae_queue", "asked for sales and scored 60 or more"),
        (asked, "sdr_queue", "asked for sales"),
        (sixty, "ae_queue", "scored 60 or more"),
    ]
    track, because = ("verification", "held until verified") if gate == "verify" else (None, "no rule holds, so self_serve")
    for holds, to, why in rules:
        if track or holds is False:
            continue
        track, because = (to, why) if holds else ("self_serve", f"could still be {to}")
    track = track or "self_serve"
    score = {"low": low, "high": high, "points": points_of, "unknowns": unknowns}
    return {"gate": gate, "score": score, "track": track, "because": [because], "owner": OWNERS.get(track, [None])[0]}


def crm_body(facts, decision):
    def value(field):
        return str(facts[field]["value"]) if field in facts else None

    names = {source.partition(".")[0] for fact in facts.values() for source in fact["sources"]} - {"signup", "email"}
    lowest = min(facts[field]["confidence"] for field in DECIDED_BY if field in facts)
    properties = {
        "company": value("company.name"),
        "company_funding_stage": value("company.funding_stage"),
        "company_headcount": value("company.headcount"),
        "crm_owner_id": decision["owner"],
        "enrichment_confidence": f"{lowest // 10000}.{lowest % 10000 // 100:02}",
        "enrichment_provider": ",".join(sorted(names)) or None,
        "jobtitle": value("contact.title"),
        "person_seniority": value("contact.seniority"),
        "plg_lead_score": str(decision["score"]["low"]),
        "routing_track": decision["track"],
    }
    present = {name: said for name, said in properties.items() if said is not None}
    return json.dumps({"properties": present}, separators=(",", ":"), ensure_ascii=False)


def decide_once(request, company, firm, person):
    now = request["now_ms"]
    verify(request, now)
    signup = parse(request["body"], now)
    observations = of_signup(signup) + of_address(signup["email"], now)
    observations += of_company(company, now) + of_firm(firm, now) + of_person(person, now)
    facts = merge(observations, now)
    return facts, crm_body(facts, decide(facts))


def shown(value):
    if isinstance(value, bool):
        return str(value).lower()
    return ", ".join(value) if isinstance(value, list) else str(value)


def read(file):
    with open(file, encoding="utf-8") as opened:
        return opened.read()


def main(folder, times_):
    request = json.loads(read(f"{folder}/request.json"))
    answers = [read(f"{folder}/answers/{name}.json") for name in ("crustdata.company", "firmgraph.company", "crustdata.person")]
    for _ in range(int(times_)):
        facts, body = decide_once(request, *answers)
    print(body)
    for field, fact in facts.items():
        print(field, fact["confidence"], shown(fact["value"]))


main(*sys.argv[1:])
