//! Option values: `128 mb`, `1 h`, `true`, as Paimon reads them.
//!
//! Source: Paimon 1.4.2 `MemorySize`, `TimeUtils`.

/// Bytes of a memory size such as `64 kb`, `128mb`, `1 gb` or `500` (bytes).
///
/// # Errors
/// Says what is wrong with the text.
pub fn parse_memory(text: &str) -> Result<u64, String> {
    let (number, unit) = split_number(text)?;
    let factor: u64 = match unit.as_str() {
        "" | "b" | "bytes" => 1,
        "k" | "kb" | "kibibytes" => 1 << 10,
        "m" | "mb" | "mebibytes" => 1 << 20,
        "g" | "gb" | "gibibytes" => 1 << 30,
        "t" | "tb" | "tebibytes" => 1 << 40,
        _ => {
            return Err(format!(
                "{text:?} is not a memory size: unit {unit:?} is none of b, kb, mb, gb, tb"
            ));
        }
    };
    let bytes = number.checked_mul(factor).filter(|bytes| i64::try_from(*bytes).is_ok());
    bytes.ok_or_else(|| format!("{text:?} is too large"))
}

/// Milliseconds of a duration such as `10 ms`, `1 h` or `7d`. ISO 8601 is none: Java cannot read it.
///
/// # Errors
/// Says what is wrong with the text.
pub fn parse_duration_millis(text: &str) -> Result<u64, String> {
    let (number, unit) = split_number(text)?;
    let millis: u64 = match unit.as_str() {
        "ns" | "nano" | "nanosecond" | "nanoseconds" => return Ok(number / 1_000_000),
        "µs" | "us" | "micro" | "microsecond" | "microseconds" => return Ok(number / 1000),
        "" | "ms" | "milli" | "millisecond" | "milliseconds" => 1,
        "s" | "sec" | "second" | "seconds" => 1000,
        "m" | "min" | "minute" | "minutes" => 60_000,
        "h" | "hour" | "hours" => 3_600_000,
        "d" | "day" | "days" => 86_400_000,
        _ => {
            return Err(format!(
                "{text:?} is not a duration: unit {unit:?} is none of ms, s, min, h, d"
            ));
        }
    };
    number.checked_mul(millis).ok_or_else(|| format!("{text:?} is too long"))
}

fn split_number(text: &str) -> Result<(u64, String), String> {
    let trimmed = text.trim();
    let end = trimmed.find(|c: char| !c.is_ascii_digit()).unwrap_or(trimmed.len());
    let (digits, unit) = trimmed.split_at(end);
    let number: i64 = digits.parse().map_err(|_| {
        format!("{text:?} does not start with a whole number, which a unit may follow")
    })?;
    let number = u64::try_from(number).unwrap_or(0);
    Ok((number, unit.trim().to_lowercase()))
}

/// Milliseconds of a default such as `PT1H`, which is how the list of options prints durations.
pub(super) fn iso_millis(text: &str) -> Option<u64> {
    let mut total = 0.0_f64;
    let mut number = String::new();
    for c in text.strip_prefix('P')?.chars() {
        match c.to_ascii_uppercase() {
            'T' => {}
            'D' | 'H' | 'M' | 'S' => {
                let factor = match c.to_ascii_uppercase() {
                    'D' => 86_400_000.0,
                    'H' => 3_600_000.0,
                    'M' => 60_000.0,
                    _ => 1000.0,
                };
                total += number.parse::<f64>().ok()? * factor;
                number.clear();
            }
            c => number.push(c),
        }
    }
    let whole = format!("{total:.0}");
    if number.is_empty() { whole.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::{iso_millis, parse_duration_millis, parse_memory};

    #[test]
    fn memory_sizes_parse_with_and_without_space() {
        assert_eq!(parse_memory("128 mb"), Ok(128 << 20));
        assert_eq!(parse_memory("64KB"), Ok(64 << 10));
        assert_eq!(parse_memory("500 bytes"), Ok(500));
        assert!(parse_memory("many").is_err());
        assert!(parse_memory("1 zb").is_err());
        assert!(parse_memory("1 mib").is_err());
        assert!(parse_memory("99999999999 tb").is_err());
        assert!(parse_memory("9223372036854775808").is_err());
    }

    #[test]
    fn durations_parse_as_java_reads_them() {
        assert_eq!(parse_duration_millis("1 h"), Ok(3_600_000));
        assert_eq!(iso_millis("PT0.01S"), Some(10));
        assert!(parse_duration_millis("PT1H").is_err());
        assert_eq!(parse_duration_millis("7d"), Ok(604_800_000));
        assert!(parse_duration_millis("soon").is_err());
    }
}
