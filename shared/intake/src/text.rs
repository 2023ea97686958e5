//! What people type, made harmless: trimmed, without control characters, of bounded length.

/// The longest text kept of a field, in characters; the rest is cut off.
const TEXT_MAX_CHARS: usize = 512;

/// Trims, turns line breaks and tabs into spaces, drops other control characters (NUL among them), and cuts at 512 characters.
/// Empty is `None`.
pub(crate) fn clean(text: &str) -> Option<String> {
    // Nearly all that people type is short and plain.
    let is_plain = text.len() <= TEXT_MAX_CHARS && text.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ');
    let clean = if is_plain { text.trim().to_owned() } else { harmless(text) };
    (!clean.is_empty()).then_some(clean)
}

fn harmless(text: &str) -> String {
    let harmless = text.trim().chars().filter_map(|c| match c {
        '\n' | '\r' | '\t' => Some(' '),
        c if c.is_control() => None,
        c => Some(c),
    });
    let kept: String = harmless.take(TEXT_MAX_CHARS).collect();
    kept.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn plain_text_comes_out_as_it_does_the_long_way(text in prop_oneof!["[ -~]{0,20}", ".*", "[ -~]{505,520}"]) {
            prop_assert_eq!(clean(&text).unwrap_or_default(), harmless(&text));
        }
    }

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
