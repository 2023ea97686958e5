//! How long a vendor asks us to wait.

use domain::units::{Millis, Timestamp};
use http::{HeaderMap, HeaderName, header};
use jiff::civil::DateTime;

/// The time that `Retry-After` names, as seconds or as any of the three HTTP dates (RFC 9110 §5.6.7), else what the
/// vendor's own header names in seconds. `None` for no such header, nonsense, and a time that is over.
pub(crate) fn asked_wait(headers: &HeaderMap, reset_header: Option<&HeaderName>, now: Timestamp) -> Option<Millis> {
    let text = |name: &HeaderName| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    let standard = text(&header::RETRY_AFTER).and_then(|text| seconds(text).or_else(|| until(text, now)));
    standard.or_else(|| seconds(text(reset_header?)?)).filter(|wait| *wait > Millis(0))
}

fn seconds(text: &str) -> Option<Millis> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let is_number = !whole.is_empty() && whole.bytes().chain(fraction.bytes()).all(|byte| byte.is_ascii_digit());
    if !is_number {
        return None;
    }
    // A number too long for us is a long wait all the same; part of a second is waited as a whole one.
    let whole: i64 = whole.parse().unwrap_or(i64::MAX / 2000);
    let started = i64::from(fraction.bytes().any(|byte| byte != b'0'));
    Some(Millis(whole.saturating_add(started).saturating_mul(1000)))
}

fn until(text: &str, now: Timestamp) -> Option<Millis> {
    const FORMS: [&str; 3] = ["%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT", "%a %b %e %H:%M:%S %Y"];
    let moment = FORMS.iter().find_map(|form| DateTime::strptime(form, text).ok())?;
    let moment = moment.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp().as_millisecond();
    Some(Timestamp::from_millis(moment).since(now))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn wait(retry_after: Option<&str>, reset: Option<&str>) -> Option<i64> {
        let reset_header = HeaderName::from_static("x-ratelimit-reset");
        let mut headers = HeaderMap::new();
        if let Some(text) = retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_str(text).unwrap());
        }
        if let Some(text) = reset {
            headers.insert(reset_header.clone(), HeaderValue::from_str(text).unwrap());
        }
        let now = Timestamp::parse("2026-11-20T12:00:00Z").unwrap();
        asked_wait(&headers, Some(&reset_header), now).map(|wait| wait.0)
    }

    #[test]
    fn s4_27_each_form_of_retry_after_is_understood() {
        assert_eq!(wait(Some("7"), None), Some(7_000));
        assert_eq!(wait(Some("1.5"), None), Some(2_000));
        assert_eq!(wait(Some("Fri, 20 Nov 2026 12:00:30 GMT"), None), Some(30_000));
        assert_eq!(wait(Some("Friday, 20-Nov-26 12:00:30 GMT"), None), Some(30_000));
        assert_eq!(wait(Some("Fri Nov 20 12:00:30 2026"), None), Some(30_000));
        assert_eq!(wait(None, Some("42")), Some(42_000));
        assert_eq!(wait(Some("7"), Some("42")), Some(7_000), "the standard's header goes first");
    }

    #[test]
    fn nonsense_and_times_that_are_over_name_no_wait() {
        for text in ["", "soon", "-5", "0", "Fri, 20 Nov 2026 11:59:00 GMT", "."] {
            assert_eq!(wait(Some(text), None), None, "{text}");
        }
        assert_eq!(wait(Some("soon"), Some("9")), Some(9_000));
        assert!(wait(Some("99999999999999999999"), None).unwrap() > 300_000);
    }
}
