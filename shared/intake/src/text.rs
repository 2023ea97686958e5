//! What people type, made harmless: trimmed, without control characters, of bounded length.

/// The longest text kept of a field, in characters; the rest is cut off.
const TEXT_MAX_CHARS: usize = 512;

/// Trims, turns line breaks and tabs into spaces, drops other control characters (NUL among them), and cuts at 512 characters.
/// Empty is `None`.
pub(crate) fn clean(text: &str) -> Option<String> {
    let harmless = text.trim().chars().filter_map(|c| match c {
        '\n' | '\r' | '\t' => Some(' '),
        c if c.is_control() => None,
        c => Some(c),
    });
    let kept: String = harmless.take(TEXT_MAX_CHARS).collect();
    let kept = kept.trim();
    (!kept.is_empty()).then(|| kept.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_trimmed_and_control_characters_are_dropped() {
        assert_eq!(clean("  Acme\u{0} Inc\u{7f}\r\n"), Some("Acme Inc".into()));
        assert_eq!(clean("Jane\nDoe"), Some("Jane Doe".into()));
        assert_eq!(clean(" \u{0}\t "), None);
        assert_eq!(clean(""), None);
    }

    #[test]
    fn text_is_cut_at_512_characters_not_bytes() {
        assert_eq!(clean(&"é".repeat(1_000_000)).unwrap(), "é".repeat(512));
    }
}
