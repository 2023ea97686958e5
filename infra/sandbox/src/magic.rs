//! Addresses that misbehave on request.

/// What a word at the start of an address asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Magic {
    Timeout,
    Slow,
    RateLimited,
    AlwaysLimited,
    NoMatch,
    Broken,
    Down,
    Denied,
    CrmLimited,
    CrmDown,
    NoMail,
    NullMx,
    OwnMail,
    Unregistered,
    Newborn,
}

impl Magic {
    /// From an email's local part.
    pub(crate) fn of_email(email: &str) -> Option<Self> {
        Self::of_word(email.split_once('@')?.0)
    }

    /// From a domain's first label.
    pub(crate) fn of_domain(domain: &str) -> Option<Self> {
        Self::of_word(domain.split('.').next()?)
    }

    /// The word alone, or before a dash, or before a plus tag: `slow`, `slow-2`, `slow+test`.
    fn of_word(text: &str) -> Option<Self> {
        match text.split(['-', '+']).next()? {
            "timeout" => Some(Self::Timeout),
            "slow" => Some(Self::Slow),
            "ratelimited" => Some(Self::RateLimited),
            "alwayslimited" => Some(Self::AlwaysLimited),
            "nomatch" => Some(Self::NoMatch),
            "broken" => Some(Self::Broken),
            "down" => Some(Self::Down),
            "denied" => Some(Self::Denied),
            "crmlimited" => Some(Self::CrmLimited),
            "crmdown" => Some(Self::CrmDown),
            "nomail" => Some(Self::NoMail),
            "nullmx" => Some(Self::NullMx),
            "ownmail" => Some(Self::OwnMail),
            "unregistered" => Some(Self::Unregistered),
            "newborn" => Some(Self::Newborn),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_magic_word_stands_alone_or_before_a_dash() {
        assert_eq!(Magic::of_email("slow@acme.example"), Some(Magic::Slow));
        assert_eq!(Magic::of_email("slow-2@acme.example"), Some(Magic::Slow));
        assert_eq!(Magic::of_domain("broken-acme.example"), Some(Magic::Broken));
        assert_eq!(Magic::of_domain("down.example"), Some(Magic::Down));
    }

    #[test]
    fn a_word_that_only_begins_like_one_is_not_magic() {
        assert_eq!(Magic::of_email("slowik@acme.example"), None);
        assert_eq!(Magic::of_domain("downtown.example"), None);
        assert_eq!(Magic::of_email("no address"), None);
    }
}
