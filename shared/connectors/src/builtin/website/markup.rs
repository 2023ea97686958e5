//! A page's markup as a flat run of tags and text. No tree is built: builders take quadratic time over what is nested deeply
//! enough, in one piece that no timeout can interrupt, and nothing that we look for needs to know what stands inside what.

use std::cell::RefCell;

use html5ever::tendril::StrTendril;
use html5ever::tokenizer::states::{RawKind, Rawtext, Rcdata, ScriptData};
use html5ever::tokenizer::{BufferQueue, Tag, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer};

/// Pages say who they are at their beginning; what follows is not looked at.
const READ_MAX_BYTES: usize = 64 * 1024;

/// What a page holds that somebody may want to read.
#[derive(Default)]
pub(super) struct Markup {
    /// Name or property, and content, of each `<meta>` that has both.
    pub(super) metas: Vec<(String, String)>,
    /// Where its `<a>` lead.
    pub(super) links: Vec<String>,
    /// Where its scripts come from.
    pub(super) scripts: Vec<String>,
    /// The first `<title>`.
    pub(super) title: Option<String>,
    /// All text that people read, the parts between two tags kept apart by a blank.
    pub(super) text: String,
}

impl Markup {
    /// Reads the first 64 KB of a page.
    pub(super) fn read(html: &str) -> Self {
        let input = BufferQueue::default();
        input.push_back(StrTendril::from(beginning(html)));
        let tokenizer = Tokenizer::new(Reader::default(), Default::default());
        let _ = tokenizer.feed(&input); // it stops early only for readers that run scripts
        tokenizer.end();
        tokenizer.sink.0.into_inner().markup
    }
}

fn beginning(html: &str) -> &str {
    html.get(..html.floor_char_boundary(READ_MAX_BYTES)).unwrap_or_default()
}

/// Whose text comes next.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Inside {
    #[default]
    Page,
    Title,
    /// An element whose text nobody reads.
    Unread,
}

#[derive(Default)]
struct State {
    markup: Markup,
    inside: Inside,
    /// How many `<template>`s are open; nobody reads what is in them.
    templates: usize,
}

#[derive(Default)]
struct Reader(RefCell<State>);

impl TokenSink for Reader {
    type Handle = ();

    fn process_token(&self, token: Token, _line: u64) -> TokenSinkResult<()> {
        let mut state = self.0.borrow_mut();
        match token {
            Token::CharacterTokens(text) => state.hear(&text),
            Token::TagToken(tag) => {
                state.inside = Inside::Page;
                state.markup.text.push(' ');
                match tag.kind {
                    TagKind::StartTag => return state.open(&tag).map_or(TokenSinkResult::Continue, TokenSinkResult::RawData),
                    TagKind::EndTag if &*tag.name == "template" => state.templates = state.templates.saturating_sub(1),
                    TagKind::EndTag => {}
                }
            }
            Token::CommentToken(_) => state.markup.text.push(' '),
            Token::DoctypeToken(_) | Token::NullCharacterToken | Token::EOFToken | Token::ParseError(_) => {}
        }
        TokenSinkResult::Continue
    }
}

impl State {
    fn hear(&mut self, text: &str) {
        if self.inside == Inside::Unread || self.templates > 0 {
            return;
        }
        self.markup.text.push_str(text);
        if let (Inside::Title, Some(title)) = (self.inside, &mut self.markup.title) {
            title.push_str(text);
        }
    }

    /// Notes a tag, and says how what follows it is to be read, where that is not as markup.
    fn open(&mut self, tag: &Tag) -> Option<RawKind> {
        let name = &*tag.name;
        if name == "template" {
            self.templates += 1;
        }
        if self.templates == 0 {
            self.note(tag);
        }
        // Drawings close such elements at once, and then nothing of them follows.
        if tag.self_closing {
            return None;
        }
        match name {
            "title" => {
                if self.markup.title.is_none() && self.templates == 0 {
                    self.markup.title = Some(String::new());
                    self.inside = Inside::Title;
                }
                Some(Rcdata)
            }
            "textarea" => Some(Rcdata),
            "script" => {
                self.inside = Inside::Unread;
                Some(ScriptData)
            }
            "style" | "noscript" | "xmp" | "iframe" | "noembed" | "noframes" => {
                self.inside = Inside::Unread;
                Some(Rawtext)
            }
            _ => None,
        }
    }

    fn note(&mut self, tag: &Tag) {
        let markup = &mut self.markup;
        match &*tag.name {
            "a" => markup.links.extend(attribute(tag, "href")),
            "script" => markup.scripts.extend(attribute(tag, "src")),
            "meta" => {
                let name = attribute(tag, "name").or_else(|| attribute(tag, "property"));
                markup.metas.extend(name.zip(attribute(tag, "content")));
            }
            _ => {}
        }
    }
}

fn attribute(tag: &Tag, name: &str) -> Option<String> {
    tag.attrs.iter().find(|attribute| &*attribute.name.local == name).map(|attribute| attribute.value.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_page_of_2_mb_that_is_nested_without_end_the_first_64_kb_are_read() {
        let page = "<div>x".repeat(2 * 1024 * 1024 / 6);
        assert_eq!(beginning(&page).len(), READ_MAX_BYTES);
        let opened = READ_MAX_BYTES / "<div>x".len();
        assert_eq!(Markup::read(&page).text.matches('x').count(), opened);
        assert_eq!(beginning(&"é".repeat(READ_MAX_BYTES)[..]).len(), READ_MAX_BYTES);
        assert_eq!(beginning(&format!("a{}", "é".repeat(READ_MAX_BYTES))).len(), READ_MAX_BYTES - 1);
        assert_eq!(beginning("short"), "short");
    }

    #[test]
    fn what_is_open_is_not_repeated_however_often_its_surroundings_close() {
        let page = format!("<p>{}</p>{}", "<b a>".repeat(1000), "<p>x</p>".repeat(5000));
        let markup = Markup::read(&page);
        assert_eq!(markup.text.matches('x').count(), 5000);
        assert!(markup.text.len() <= READ_MAX_BYTES);
    }

    #[test]
    fn scripts_styles_and_templates_are_not_text() {
        let page = "<title>A &amp; <b>B</title><style>s</style><noscript>n</noscript><template><a href=t>t</a><p>t</template>\
                    <script src=u>'<p>s</p>'</script><svg><title/><style/></svg><textarea><i>v</textarea><a href=w>w</a><title>C</title>";
        let markup = Markup::read(page);
        assert_eq!(markup.title.as_deref(), Some("A & <b>B"));
        assert_eq!(markup.text.split_whitespace().collect::<Vec<_>>(), ["A", "&", "<b>B", "<i>v", "w", "C"]);
        assert_eq!((markup.links, markup.scripts), (vec!["w".to_owned()], vec!["u".to_owned()]));
    }

    #[test]
    fn a_page_that_breaks_off_is_read_to_there() {
        for page in
            ["<title>A", "<title>A<", "<title>A</title><script>x", "<title>A</title><p", "<title>A</title><!--", "<title>A</title>&am"]
        {
            assert!(Markup::read(page).title.unwrap().starts_with('A'), "{page}");
        }
    }
}
