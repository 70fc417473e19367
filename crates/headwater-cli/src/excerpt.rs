//! The line of a script that is wrong, with a mark below the word.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Characters of a line that are shown.
const SHOWN: usize = 100;
/// Of these, in front of the mark when the line is longer.
const BEFORE: usize = 60;

/// Line `line` of `script` and a mark at its character `column`, both from 1; every line starts with
/// a line feed. Nothing when the script has no such place.
pub(crate) fn excerpt(script: &str, line: usize, column: usize) -> String {
    let Some(text) = line.checked_sub(1).and_then(|n| script.lines().nth(n)) else {
        return String::new();
    };
    let Some(column) = column.checked_sub(1) else { return String::new() };
    let characters: Vec<char> =
        text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    // A complaint about the end of the statement stands behind its last character.
    let column = column.min(characters.len());
    let first = if characters.len() > SHOWN { column.saturating_sub(BEFORE) } else { 0 };
    let last = characters.len().min(first + SHOWN);
    let cut = |is_cut: bool| if is_cut { "…" } else { "" };
    let shown: String = characters.get(first..last).unwrap_or_default().iter().collect();
    let head = format!("  {line} | {}", cut(first > 0));
    let before = characters.get(first..column).unwrap_or_default();
    let indent = head.width() + before.iter().map(|c| c.width().unwrap_or(0)).sum::<usize>();
    format!("\n{head}{shown}{}\n{}^", cut(last < characters.len()), " ".repeat(indent))
}

#[cfg(test)]
mod tests {
    use super::excerpt;

    #[test]
    fn the_mark_stands_below_the_character() {
        assert_eq!(
            excerpt("SELECT 1;\nSELECT x FROM t", 2, 8),
            "\n  2 | SELECT x FROM t\n             ^"
        );
    }

    #[test]
    fn wide_characters_and_tabs_do_not_shift_it() {
        assert_eq!(
            excerpt("SELECT\t'订单', x", 1, 14),
            "\n  1 | SELECT '订单', x\n                     ^"
        );
    }

    #[test]
    fn a_long_line_is_cut_around_it() {
        let script = format!("{}X{}", "a".repeat(500), "b".repeat(500));
        let shown = excerpt(&script, 1, 501);
        let lines: Vec<&str> = shown.lines().collect();
        let at = lines[2].find('^').unwrap();
        assert_eq!(lines[1].chars().nth(at), Some('X'));
        assert!(lines[1].contains("…a") && lines[1].ends_with("b…"), "{shown}");
        assert!(lines[1].chars().count() < 115);
    }

    #[test]
    fn places_outside_of_the_script_show_nothing() {
        assert_eq!(excerpt("SELECT", 2, 1), "");
        assert_eq!(excerpt("SELECT", 0, 0), "");
        assert_eq!(excerpt("", 1, 1), "");
        assert_eq!(excerpt("SELECT", 1, 99), "\n  1 | SELECT\n            ^");
    }
}
