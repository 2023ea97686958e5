//! Checks one connector's sections and compiles them.

use std::collections::BTreeMap;

use domain::config::Finding;
use domain::identity::KeyKind;
use domain::observation::Basis;
use domain::schema::{Field, Schema};
use domain::template::{Hole, Template};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use serde_json::Value as Json;
use serde_saphyr::Spanned;
use url::Url;

use crate::batch::check::Single;
use crate::connector::{Http, Mapping, Meaning, RateLimit, Test};
use crate::document::{
    AuthSection, Document, ErrorsSection, ExampleSection, KeySection, MappingSection, MethodWord, OneOrMany, ReplySection, RequestSection,
    TestSection,
};
use crate::egress::{self, Redirects};
use crate::example::Example;
use crate::normalise::Normaliser;
use crate::path::Path;
use crate::request::{Addition, Auth, Body, KEY, KEY_DIGITS, Place, Request, SECRET};
use crate::wanted::Wanted;

/// What may stand for the key in a path, a query or a body.
const KEYS: &[&str] = &[KEY, KEY_DIGITS];

/// Collects what is wrong with one file.
pub(crate) struct Checker<'a> {
    file: &'a str,
    schema: &'a Schema,
    pub(crate) findings: Vec<Finding>,
}

impl<'a> Checker<'a> {
    pub(crate) const fn new(file: &'a str, schema: &'a Schema) -> Self {
        Self { file, schema, findings: Vec::new() }
    }

    pub(crate) fn find<T>(&mut self, at: &Spanned<T>, message: String) {
        self.findings.push(Finding::new(self.file, at.referenced.line(), message));
    }

    /// A vendor's operation.
    pub(crate) fn http(&mut self, document: Document) -> Option<Http> {
        let provider = &document.provider;
        let Some(request) = document.request else {
            self.find(provider, "a connector needs `request` (method, base_url, path) or `builtin`".to_owned());
            return None;
        };
        if document.keys.is_empty() {
            self.find(provider, "a connector needs `keys`: the kinds of key it is asked by and how each is sent".to_owned());
        }
        let Some(reply) = document.reply else {
            self.find(provider, "a connector needs `reply`: where a hit and its fields stand in the answer".to_owned());
            return None;
        };
        if reply.no_match.is_none() && document.errors.no_match.is_empty() {
            self.find(&reply.hit, "say what no match looks like: `reply.no_match` or `errors.no_match`".to_owned());
        }
        let reset_header = document.rate_limit.and_then(|limit| HeaderName::try_from(limit.value.reset_header?).ok());
        let meanings = self.meanings(document.errors);
        let single = Single::of(&request.value, &document.keys, document.price, &reply, self.schema);
        let batch = document.batch.and_then(|section| self.batch(section, &single));
        let request = self.request(request, document.auth, document.keys)?;
        let mut http = Http {
            request,
            batch,
            meanings,
            reset_header,
            hit: self.paths(&reply.hit),
            no_match: reply.no_match.iter().flat_map(|written| self.paths(written)).collect(),
            confidence: reply.confidence.iter().flat_map(|written| self.paths(written)).collect(),
            confidence_line: reply.confidence.as_ref().map_or(0, |written| written.referenced.line()),
            fields: self.fields(reply),
            wanted: Wanted::default(),
        };
        http.want();
        Some(http)
    }

    pub(crate) fn example(&mut self, section: Spanned<ExampleSection>) -> Option<Example> {
        let line = section.referenced.line();
        let result = Example::parse(&section.value, line, self.schema);
        result.map_err(|message| self.find(&section, message)).ok()
    }

    fn request(
        &mut self,
        section: Spanned<RequestSection>,
        auth: Option<AuthSection>,
        keys: BTreeMap<KeyKind, Spanned<KeySection>>,
    ) -> Option<Request> {
        let written = &section.value;
        let base_url = self.base_url(&written.base_url);
        if !written.path.value.starts_with('/') {
            self.find(
                &written.path,
                format!("`{}` is no path; write it from the first slash, such as /company/enrich", written.path.value),
            );
        }
        let segments: Vec<&str> = written.path.value.trim_start_matches('/').split('/').collect();
        let path: Vec<Template> = segments.iter().filter_map(|segment| self.template(&written.path, segment, KEYS)).collect();
        let method = if written.method == MethodWord::Get { Method::GET } else { Method::POST };
        if let (Some(body), MethodWord::Get) = (&written.body, written.method) {
            self.find(body, "a GET request has no body; write `method: POST` or use `query`".to_owned());
        }
        let query = self.query(&written.query);
        let key_in_url = path.iter().chain(query.iter().map(|(_, template)| template)).any(has_hole);
        let body = written.body.as_ref().and_then(|body| self.object(body));
        let key_in_body = body.as_ref().is_some_and(body_has_hole);
        let mut additions = Vec::new();
        for (kind, section) in keys {
            let addition = self.addition(&section);
            self.check_key(kind, &section, &addition, key_in_url, key_in_body);
            additions.push((kind, addition));
        }
        let headers = self.headers(&written.headers);
        let redirects = self.redirects(written, auth.is_some());
        let auth = auth.and_then(|auth| self.auth(auth, written.method));
        let encoding = written.encoding;
        Some(Request { method, base_url: base_url?, path, redirects, headers, query, body, encoding, auth, keys: additions })
    }

    fn redirects(&mut self, section: &RequestSection, has_auth: bool) -> Redirects {
        let Some(written) = section.follow_redirects.as_ref().filter(|written| written.value) else { return Redirects::Refused };
        if has_auth || section.method == MethodWord::Post {
            let message = "follow_redirects: only a GET without `auth` follows, or whoever sends us on would get our secret or the body";
            self.find(written, message.to_owned());
        }
        Redirects::Followed
    }

    fn check_key(&mut self, kind: KeyKind, section: &Spanned<KeySection>, addition: &Addition, in_url: bool, in_body: bool) {
        let in_url = in_url || addition.query.iter().any(|(_, template)| has_hole(template));
        let in_body = in_body || addition.body.as_ref().is_some_and(body_has_hole);
        let is_address = matches!(kind, KeyKind::Email | KeyKind::BusinessEmail | KeyKind::PersonalEmail);
        if is_address && in_url {
            self.find(section, format!("{}: an address may not stand in a URL, which others log; send it in the body", kind.as_str()));
        }
        if !in_url && !in_body {
            self.find(section, format!("{}: the key is not sent; write {{{{key}}}} into its query or body", kind.as_str()));
        }
    }

    fn base_url(&mut self, written: &Spanned<String>) -> Option<Url> {
        let parsed = Url::parse(&written.value).ok();
        let url = parsed.filter(|url| url.scheme() == "https" && url.query().is_none() && url.fragment().is_none());
        let Some(url) = url else {
            self.find(written, "this is no base URL; write https:// and a host, such as https://api.crustdata.com".to_owned());
            return None;
        };
        if let Some(failure) = egress::closed_to(&url) {
            self.find(written, format!("calls to this base URL are always {failure}; write https:// and the vendor's public host name"));
        }
        Some(url)
    }

    pub(crate) fn rate_limit(&mut self, section: Option<&Spanned<RateLimit>>) {
        let Some(section) = section else { return };
        if section.value.per_minute == 0 {
            self.find(
                section,
                "rate_limit.per_minute: 0 would allow no call; write the vendor's limit, or leave `rate_limit` out".to_owned(),
            );
        }
        let written = section.value.reset_header.as_ref();
        if let Some(name) = written.filter(|name| HeaderName::try_from(*name).is_err()) {
            self.find(section, format!("rate_limit.reset_header: `{name}` is no header name"));
        }
    }

    fn headers(&mut self, section: &BTreeMap<String, Spanned<String>>) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, written) in section {
            match (HeaderName::try_from(name), HeaderValue::from_str(&written.value)) {
                (Ok(header), Ok(value)) if !written.value.contains("{{") => {
                    headers.insert(header, value);
                }
                _ => self
                    .find(written, format!("`{name}` is no plain header; the secret goes into `auth`, the key into path, query or body")),
            }
        }
        headers
    }

    fn auth(&mut self, section: AuthSection, method: MethodWord) -> Option<Auth> {
        let (place, written) = self.auth_place(&section, method)?;
        let value = self.template(written, &written.value, &[SECRET]);
        if value.as_ref().is_some_and(|template| !has_hole(template)) {
            self.find(written, "the value has no secret; write {{secret}} where it belongs, never the secret itself".to_owned());
        }
        let is_name = !section.secret.value.is_empty()
            && section.secret.value.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
        if !is_name {
            self.find(
                &section.secret,
                "write the secret's name in lower-case words joined by underscores, such as crustdata_api_key".to_owned(),
            );
        }
        Some(Auth { place, value: value?, secret: section.secret.value })
    }

    /// Where the secret goes, and the text that goes there.
    fn auth_place<'s>(&mut self, section: &'s AuthSection, method: MethodWord) -> Option<(Place, &'s Spanned<String>)> {
        let AuthSection { header, query, body, value, basic, secret } = section;
        let (place, written) = match (header, query, body, value, basic) {
            (Some(name), None, None, Some(value), None) => {
                let Ok(header) = HeaderName::try_from(&name.value) else {
                    self.find(name, format!("`{}` is no header name", name.value));
                    return None;
                };
                (Place::Header(header), value)
            }
            (None, Some(name), None, Some(value), None) => (Place::Query(name.value.clone()), value),
            (None, None, Some(name), Some(value), None) => (Place::Body(name.value.clone()), value),
            (None, None, None, None, Some(basic)) => (Place::Basic, basic),
            _ => {
                let message = "say once where the secret goes: `header`, `query` or `body` with a `value`, or `basic: \"user:{{secret}}\"`";
                self.find(secret, message.to_owned());
                return None;
            }
        };
        if let (Some(body), MethodWord::Get) = (body, method) {
            self.find(body, "a GET request has no body; put the secret into a header".to_owned());
        }
        Some((place, written))
    }

    fn addition(&mut self, section: &Spanned<KeySection>) -> Addition {
        let query = self.query(&section.value.query);
        Addition { query, body: section.value.body.as_ref().and_then(|body| self.object(body)) }
    }

    fn query(&mut self, section: &BTreeMap<String, Spanned<String>>) -> Vec<(String, Template)> {
        let pair = |(name, written): (&String, &Spanned<String>)| Some((name.clone(), self.template(written, &written.value, KEYS)?));
        section.iter().filter_map(pair).collect()
    }

    fn object(&mut self, written: &Spanned<Json>) -> Option<Body> {
        if !written.value.is_object() {
            self.find(written, "a body is a mapping, such as {domains: [\"{{key}}\"]}".to_owned());
            return None;
        }
        self.body(written, &written.value)
    }

    pub(crate) fn body<T>(&mut self, at: &Spanned<T>, json: &Json) -> Option<Body> {
        Some(match json {
            Json::String(text) => Body::Text(self.template(at, text, KEYS)?),
            Json::Array(items) => Body::List(items.iter().filter_map(|item| self.body(at, item)).collect()),
            Json::Object(entries) => {
                Body::Object(entries.iter().filter_map(|(name, item)| Some((name.clone(), self.body(at, item)?))).collect())
            }
            plain => Body::Plain(plain.clone()),
        })
    }

    /// A text in which these names alone may stand between braces: a look-up knows no record.
    fn template<T>(&mut self, at: &Spanned<T>, text: &str, names: &[&str]) -> Option<Template> {
        let parsed = Template::parse(text, self.schema, names).ok();
        let template = parsed.filter(|template| template.holes().all(|hole| is_among(hole, names)));
        if template.is_none() {
            let names: Vec<String> = names.iter().map(|name| format!("{{{{{name}}}}}")).collect();
            self.find(at, format!("between braces only {} may stand here", names.join(" or ")));
        }
        template
    }

    fn meanings(&mut self, errors: ErrorsSection) -> Vec<(Meaning, Test)> {
        let sections = [
            (Meaning::OutOfCredits, errors.out_of_credits),
            (Meaning::RateLimited, errors.rate_limited),
            (Meaning::AuthFailed, errors.auth_failed),
            (Meaning::NoMatch, errors.no_match),
            (Meaning::Failed, errors.failed),
        ];
        let tests = sections.into_iter().flat_map(|(meaning, tests)| tests.into_iter().map(move |test| (meaning, test)));
        tests.filter_map(|(meaning, test)| Some((meaning, self.test(&test)?))).collect()
    }

    fn test(&mut self, section: &Spanned<TestSection>) -> Option<Test> {
        let TestSection { status, body } = &section.value;
        if status.is_none() && body.is_none() {
            self.find(section, "this test holds for every answer; write `status`, `body` or both".to_owned());
        }
        let body = match body {
            Some(path) => Some(self.path(section, path)?),
            None => None,
        };
        Some(Test { status: *status, body })
    }

    fn fields(&mut self, reply: ReplySection) -> Vec<(Field, Vec<Mapping>)> {
        let mut fields: Vec<(Field, Vec<Mapping>)> = Vec::new();
        for (name, written) in reply.fields {
            let field = match self.schema.field(&name) {
                Ok(field) => field,
                Err(message) => {
                    self.find(&written, message);
                    continue;
                }
            };
            if fields.iter().any(|(known, _)| *known == field) {
                self.find(&written, format!("`{name}` is `{field}`, which is mapped already; write one entry with a list"));
            }
            let mappings = written.value.0.iter().map(|section| self.mapping(&written, &field, section)).collect();
            fields.push((field, mappings));
        }
        fields
    }

    fn mapping<T>(&mut self, at: &Spanned<T>, field: &Field, section: &MappingSection) -> Mapping {
        let (kind, _) = self.schema.kind_of(field);
        if !section.normaliser.makes(kind) {
            self.find(at, format!("`{field}` holds something else than this makes; write `as: {}`", Normaliser::names_for(kind)));
        }
        let paths = section.path.0.iter().filter_map(|path| self.path(at, path)).collect();
        let basis = if section.inferred { Basis::Inferred } else { Basis::Stated };
        Mapping { paths, normaliser: section.normaliser, basis }
    }

    pub(crate) fn paths(&mut self, written: &Spanned<OneOrMany<String>>) -> Vec<Path> {
        written.value.0.iter().filter_map(|path| self.path(written, path)).collect()
    }

    fn path<T>(&mut self, at: &Spanned<T>, path: &str) -> Option<Path> {
        let parsed = Path::parse(path);
        parsed.map_err(|error| self.find(at, format!("`{path}` is no JSONPath (RFC 9535): {}; it starts with $", error.message()))).ok()
    }
}

fn is_among(hole: &Hole, names: &[&str]) -> bool {
    matches!(hole, Hole::Name(known) if names.contains(&known.as_str()))
}

fn has_hole(template: &Template) -> bool {
    template.holes().next().is_some()
}

pub(crate) fn body_has_hole(body: &Body) -> bool {
    match body {
        Body::Plain(_) => false,
        Body::Text(template) => has_hole(template),
        Body::List(items) => items.iter().any(body_has_hole),
        Body::Object(entries) => entries.iter().any(|(_, item)| body_has_hole(item)),
    }
}
