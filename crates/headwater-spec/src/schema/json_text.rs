//! Document text as Java's Jackson prints and limits it.

use serde_json::Value;

use crate::error::SpecError;

/// Largest document that is read, in bytes.
const MAX_DOCUMENT_BYTES: usize = 64 << 20;

/// Refuses documents that are too large to be true.
pub(crate) fn check_document(what: &'static str, bytes: &[u8]) -> Result<(), SpecError> {
    if bytes.len() > MAX_DOCUMENT_BYTES {
        let reason = format!("{} bytes, more than {MAX_DOCUMENT_BYTES}", bytes.len());
        return Err(SpecError::Json { what, reason });
    }
    Ok(())
}

/// Appends `value` in Jackson's default pretty form.
pub(super) fn print(value: &Value, indent: usize, out: &mut String) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(b) => out.push_str(if *b { "true" } else { "false" }),
        Value::Number(n) => out.push_str(&n.to_string()),
        Value::String(s) => text(s, out),
        Value::Array(items) => {
            out.push_str("[ ");
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    out.push_str(", ");
                }
                print(item, indent, out);
            }
            out.push_str(if items.is_empty() { "]" } else { " ]" });
        }
        Value::Object(map) if map.is_empty() => out.push_str("{ }"),
        Value::Object(map) => {
            out.push('{');
            for (i, (key, item)) in map.iter().enumerate() {
                out.push_str(if i > 0 { ",\n" } else { "\n" });
                out.extend(std::iter::repeat_n("  ", indent + 1));
                text(key, out);
                out.push_str(" : ");
                print(item, indent + 1, out);
            }
            out.push('\n');
            out.extend(std::iter::repeat_n("  ", indent));
            out.push('}');
        }
    }
}

fn text(s: &str, out: &mut String) {
    out.push('"');
    for c in s.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c < ' ' => out.push_str(&format!("\\u{:04X}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
}
