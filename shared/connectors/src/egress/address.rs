//! Which addresses belong to the public internet.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// IPv4 ranges that nobody outside may be reached at (IANA special-purpose registry), as address and prefix length.
const V4_CLOSED: &[(Ipv4Addr, u32)] = &[
    (Ipv4Addr::new(0, 0, 0, 0), 8),        // this network
    (Ipv4Addr::new(10, 0, 0, 0), 8),       // private
    (Ipv4Addr::new(100, 64, 0, 0), 10),    // shared by carriers; Alibaba's metadata
    (Ipv4Addr::new(127, 0, 0, 0), 8),      // loopback
    (Ipv4Addr::new(168, 63, 129, 16), 32), // Azure's platform address, public by form only
    (Ipv4Addr::new(169, 254, 0, 0), 16),   // link-local; metadata of AWS, GCP and Azure
    (Ipv4Addr::new(172, 16, 0, 0), 12),    // private
    (Ipv4Addr::new(192, 0, 0, 0), 24),     // protocol assignments; Oracle's metadata
    (Ipv4Addr::new(192, 0, 2, 0), 24),     // documentation
    (Ipv4Addr::new(192, 88, 99, 0), 24),   // 6to4 relays
    (Ipv4Addr::new(192, 168, 0, 0), 16),   // private
    (Ipv4Addr::new(198, 18, 0, 0), 15),    // benchmarks
    (Ipv4Addr::new(198, 51, 100, 0), 24),  // documentation
    (Ipv4Addr::new(203, 0, 113, 0), 24),   // documentation
    (Ipv4Addr::new(224, 0, 0, 0), 4),      // multicast
    (Ipv4Addr::new(240, 0, 0, 0), 4),      // reserved; broadcast
];

/// The only IPv6 range in public use: mapped, NAT64, unique local, link-local and multicast addresses lie outside of it.
const V6_GLOBAL: (Ipv6Addr, u32) = (Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3);

/// Ranges inside [`V6_GLOBAL`] that are closed all the same.
const V6_CLOSED: &[(Ipv6Addr, u32)] = &[
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23), // protocol assignments: Teredo, benchmarks, ORCHID
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32), // documentation
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16), // 6to4: carries any IPv4 address
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20), // documentation
];

/// Whether a connection to this address leaves our own network for the public one.
pub(super) fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => !V4_CLOSED.iter().any(|&(base, prefix)| within_v4(address, base, prefix)),
        IpAddr::V6(address) => {
            let is_closed = V6_CLOSED.iter().any(|&(base, prefix)| within_v6(address, base, prefix));
            within_v6(address, V6_GLOBAL.0, V6_GLOBAL.1) && !is_closed && !is_isatap(address)
        }
    }
}

fn within_v4(address: Ipv4Addr, base: Ipv4Addr, prefix: u32) -> bool {
    (address.to_bits() ^ base.to_bits()).leading_zeros() >= prefix
}

fn within_v6(address: Ipv6Addr, base: Ipv6Addr, prefix: u32) -> bool {
    (address.to_bits() ^ base.to_bits()).leading_zeros() >= prefix
}

/// RFC 5214: the last four bytes are an IPv4 address.
fn is_isatap(address: Ipv6Addr) -> bool {
    let [_, _, _, _, marker, isatap, _, _] = address.segments();
    isatap == 0x5efe && matches!(marker, 0 | 0x200)
}
