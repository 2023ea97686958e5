//! Addresses behind which no vendor knows an employee.

/// Hosts of private and of throw-away mailboxes.
const HOSTS: &[&str] = &[
    "gmail.com",
    "googlemail.com",
    "outlook.com",
    "hotmail.com",
    "live.com",
    "msn.com",
    "yahoo.com",
    "icloud.com",
    "me.com",
    "aol.com",
    "proton.me",
    "protonmail.com",
    "gmx.com",
    "gmx.net",
    "gmx.de",
    "web.de",
    "zoho.com",
    "yandex.com",
    "mail.com",
    "fastmail.com",
    "mailinator.com",
    "guerrillamail.com",
    "10minutemail.com",
    "yopmail.com",
    "sharklasers.com",
];

/// Mailboxes that a team reads.
const ROLES: &[&str] = &[
    "abuse",
    "accounts",
    "admin",
    "billing",
    "contact",
    "finance",
    "hello",
    "help",
    "hr",
    "info",
    "invoices",
    "jobs",
    "legal",
    "mail",
    "marketing",
    "no-reply",
    "noreply",
    "office",
    "postmaster",
    "press",
    "privacy",
    "sales",
    "security",
    "support",
    "team",
    "webmaster",
];

pub(crate) fn is_mailbox_host(domain: &str) -> bool {
    HOSTS.contains(&domain)
}

pub(crate) fn is_role(local: &str) -> bool {
    ROLES.contains(&local)
}
