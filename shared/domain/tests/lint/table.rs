//! The table in docs/configuration.md.

use super::{Edit, MAIN, SIGNUP, SIXTY, findings};

const DOCUMENT: &str = include_str!("../../../../docs/configuration.md");

/// Line numbers change with the bundled files.
fn without_lines(text: &str) -> String {
    let mut before = "";
    let mut words = Vec::new();
    for word in text.split(' ') {
        let is_line = ["line", "lines", "and"].contains(&before) && word.starts_with(|first: char| first.is_ascii_digit());
        words.push(if is_line { word.trim_start_matches(|digit: char| digit.is_ascii_digit()) } else { word });
        before = word;
    }
    words.join(" ")
}

#[test]
fn the_table_of_the_documentation_says_what_is_said() {
    let rows = DOCUMENT.split("| an example (tested, with other line numbers) |").nth(1).unwrap().lines().skip(2);
    let rows: Vec<String> = rows.map_while(|row| row.strip_prefix("| ")?.strip_suffix(" |")).map(without_lines).collect();
    let later = |when: &str, to: &str| format!("{SIXTY}    - {{when: {when}, to: {to}, because: later}}\n");
    let halves =
        "    - {when: company.headcount <= 50, to: review, because: a}\n    - {when: company.headcount > 50, to: ae_queue, because: b}\n";
    let caps = "  caps:\n    day: 500\n    week: 2500\n    provider:\n      crustdata: 8000\n";
    let wanted = "  order: narrowing\n  wanted: [company.cms]\n";
    let site = "    providers: [website]\n";
    let other = "    providers: [crustdata.company]\n";
    let wants = "[company.description, company.website]";
    let without_site = [(SIGNUP, site, other), (SIGNUP, wants, "[company.website]")];
    // The other edits, and what stands in the place of the last route rule.
    let same = || SIXTY.to_owned();
    let examples: [(&[Edit<'_>], String); 11] = [
        (&[], later("score >= 70", "review")),
        (&[], "    - {when: 'true', to: review, because: all}\n    - {when: score > 5, to: review, because: later}\n".to_owned()),
        (&[], format!("{halves}    - {{when: score >= 60, to: review, because: later}}\n")),
        (&[], later("60 <= score", "review")),
        (&[], later("60 <= score", "ae_queue")),
        (&[], later("company.headcount < 50 && score >= 75", "review")),
        (&[], later("company.headcount > 5 && company.headcount < 3", "review")),
        (&without_site, later("company.cms == \"wordpress\"", "review")),
        (&[without_site[0], without_site[1], (SIGNUP, "  order: narrowing\n", wanted)], same()),
        (&[(MAIN, "day: 500", "day: 3")], same()),
        (&[(MAIN, caps, "")], same()),
    ];
    assert_eq!(rows.len(), examples.len() + 1, "the last row points to the rules");
    for (row, (edits, last)) in rows.iter().zip(&examples) {
        let found = findings(&[*edits, &[(SIGNUP, SIXTY, last.as_str())]].concat());
        let said: Vec<String> = found.iter().map(|finding| without_lines(&finding.message)).collect();
        assert!(matches!(said.as_slice(), [said] if row.ends_with(&format!("| {said}"))), "{row}: {said:?}");
    }
}
