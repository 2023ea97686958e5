//! Two ladders that rules compare with: seniority (S3-59) and funding stage (S3-57).

use super::word;

const CHIEFS: &[&str] =
    &["ceo", "cfo", "cio", "ciso", "cmo", "coo", "cpo", "cro", "cso", "cto", "cdo", "chro", "cxo", "chief", "president"];
const VICES: &[&str] = &["vp", "svp", "evp", "avp"];
const SENIORS: &[&str] = &["lead", "principal", "senior", "sr"];
const BEGINNERS: &[&str] = &["associate", "intern", "internship", "junior", "jr", "trainee"];
/// Words that name a rung only when nothing else stands beside them: a product owner owns no company.
const WHOLE: &[(&str, &str)] = &[
    ("c_level", "c_level"),
    ("c_suite", "c_level"),
    ("entry", "entry"),
    ("entry_level", "entry"),
    ("head", "director"),
    ("managing_partner", "partner"),
    ("owner", "owner"),
    ("partner", "partner"),
    ("training", "entry"),
];

/// The rung that a level or a job title names; `None` when it names none. A wrong rung would be worse than none.
pub(crate) fn seniority_of(text: &str) -> Option<&'static str> {
    let folded = word(text)?;
    if let Some((_, rung)) = WHOLE.iter().find(|(whole, _)| *whole == folded) {
        return Some(rung);
    }
    let words: Vec<&str> = folded.split('_').collect();
    let has = |names: &[&str]| words.iter().any(|word| names.contains(word));
    if has(&["assistant", "secretary"]) || folded.contains("chief_of_staff") {
        return None; // they work for the rung that the title names
    }
    if folded.contains("vice_president") || has(VICES) {
        return Some("vp");
    }
    if has(CHIEFS) {
        return Some("c_level");
    }
    if has(&["founder", "cofounder"]) {
        return Some("founder");
    }
    if has(&["director"]) || folded.starts_with("head_of") {
        return Some("director");
    }
    if has(&["manager"]) {
        return Some("manager");
    }
    if has(SENIORS) {
        return Some("senior");
    }
    has(BEGINNERS).then_some("entry")
}

/// `Series B` is `series_b`; a round without a place on the ladder keeps its name.
pub(super) fn funding_stage(text: &str) -> Option<String> {
    let folded = word(text)?;
    let words: Vec<&str> = folded.split('_').collect();
    if let Some(at) = words.iter().position(|word| *word == "series") {
        let letter = words.get(at + 1)?;
        let is_letter = letter.len() == 1 && letter.bytes().all(|byte| byte.is_ascii_lowercase());
        return is_letter.then(|| format!("series_{letter}"));
    }
    let stage = match words.as_slice() {
        ["preseed", ..] | ["pre", "seed", ..] => "pre_seed",
        ["seed", ..] => "seed",
        ["angel", ..] => "angel",
        ["ipo" | "public", ..] | ["post", "ipo", ..] => "ipo",
        ["debt", ..] => "debt",
        ["grant", ..] => "grant",
        ["acquired" | "acquisition", ..] => "acquired",
        _ => return Some(folded),
    };
    Some(stage.to_owned())
}
