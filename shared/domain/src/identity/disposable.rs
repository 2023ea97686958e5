//! Domains that hand out addresses for an hour.

/// The domains in byte order, one a line; `build.rs` writes them.
const DOMAINS: &str = include_str!(concat!(env!("OUT_DIR"), "/disposable-domains.txt"));

/// Whether a host, or a domain above it, is on the list. A host's top-level domain alone is never asked for.
pub(super) fn is_disposable(host: &str) -> bool {
    let above = host.match_indices('.').map(|(dot, _)| host.get(dot + 1..).unwrap_or_default());
    std::iter::once(host).chain(above).filter(|domain| domain.contains('.')).any(|domain| is_listed(DOMAINS, domain))
}

/// Looks a line up by halving the text.
fn is_listed(lines: &str, wanted: &str) -> bool {
    let mut rest = lines;
    while !rest.is_empty() {
        let middle = rest.floor_char_boundary(rest.len() / 2);
        let (before, after) = rest.split_at(middle);
        // Lines are short, so that byte by byte is the fastest.
        let start = before.bytes().rposition(|byte| byte == b'\n').map_or(0, |newline| newline + 1);
        let end = after.bytes().position(|byte| byte == b'\n').map_or(rest.len(), |newline| middle + newline);
        let line = rest.get(start..end).unwrap_or_default();
        match wanted.cmp(line) {
            std::cmp::Ordering::Equal => return true,
            std::cmp::Ordering::Less => rest = rest.get(..start.saturating_sub(1)).unwrap_or_default(),
            std::cmp::Ordering::Greater => rest = rest.get(end + 1..).unwrap_or_default(),
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_domain_of_the_list_is_found_and_its_hosts_with_it() {
        let domains = mailchecker::blacklist();
        assert!(domains.len() > 50_000);
        for domain in domains {
            assert!(is_listed(DOMAINS, domain), "{domain}");
        }
        assert!(is_disposable("mailinator.com"));
        assert!(is_disposable("a.b.mailinator.com"));
        assert!(!is_disposable("mailinator-works.example"));
        assert!(!is_disposable("com"));
        assert!(!is_disposable(""));
    }

    proptest! {
        #[test]
        fn the_halving_finds_what_a_walk_finds(mut lines in proptest::collection::btree_set("[a-c.-]{1,4}", 0..30), wanted in "[a-c.-]{1,4}") {
            let is_there = lines.contains(&wanted);
            let text: Vec<String> = std::mem::take(&mut lines).into_iter().collect();
            prop_assert_eq!(is_listed(&text.join("\n"), &wanted), is_there);
        }

        #[test]
        fn the_list_says_what_its_library_says(host in host()) {
            prop_assert_eq!(is_disposable(&host), !mailchecker::is_valid(&format!("someone@{host}")));
        }
    }

    /// Mostly hosts from the list or next to it, so that both answers occur; now and then any other.
    fn host() -> impl Strategy<Value = String> {
        let listed = proptest::sample::select(DOMAINS.lines().collect::<Vec<&'static str>>());
        prop_oneof![
            2 => listed.clone().prop_map(str::to_owned),
            2 => (listed.clone(), "[a-z0-9]{1,8}").prop_map(|(domain, name)| format!("{name}.{domain}")),
            2 => (listed.clone(), "[a-z0-9]{1,3}").prop_map(|(domain, prefix)| format!("{prefix}{domain}")),
            2 => (listed, any::<proptest::sample::Index>(), "[a-z]").prop_map(|(domain, place, letter)| {
                let letters: Vec<usize> = domain.match_indices(char::is_alphanumeric).map(|(at, _)| at).collect();
                let place = *place.get(&letters);
                format!("{}{letter}{}", &domain[..place], &domain[place + 1..])
            }),
            1 => "[a-z]{1,12}\\.(com|net|ru|top|xyz|info)",
        ]
    }
}
