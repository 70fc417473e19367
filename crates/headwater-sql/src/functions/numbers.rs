//! Numbers as texts: what Java reads and writes.

/// `Character.isDigit`: decimal digits of any script.
pub(super) fn is_digit(c: char) -> bool {
    // Decimal digits come in runs of ten; these are the zeros of the common scripts.
    const ZEROS: &[u32] = &[
        0x30, 0x660, 0x6f0, 0x7c0, 0x966, 0x9e6, 0xa66, 0xae6, 0xb66, 0xbe6, 0xc66, 0xce6, 0xd66,
        0xde6, 0xe50, 0xed0, 0xf20, 0x1040, 0x1090, 0x17e0, 0x1810, 0xff10,
    ];
    let code = u32::from(c);
    ZEROS.iter().any(|zero| (*zero..zero + 10).contains(&code))
}

/// As `Double.valueOf`: white space around, a sign, an exponent, a suffix `d` or `f`, `NaN`,
/// `Infinity`; no words such as `inf`.
pub(super) fn java_double(text: &str) -> Option<f64> {
    let text = text.trim_matches(|c| c <= ' ');
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let negative = text.starts_with('-');
    let value = match unsigned {
        "NaN" => f64::NAN,
        "Infinity" => f64::INFINITY,
        number => {
            let number = number.strip_suffix(['d', 'D', 'f', 'F']).unwrap_or(number);
            if !number.starts_with(|c: char| c.is_ascii_digit() || c == '.')
                || !number.chars().all(|c| c.is_ascii_digit() || ".eE+-".contains(c))
            {
                return None;
            }
            number.parse().ok()?
        }
    };
    Some(if negative { -value } else { value })
}

/// As `Double.toString`: `1.0`, `0.001`, `1.0E-4`, `1.0E7`.
pub(super) fn double_text(value: f64) -> String {
    shown(value, &format!("{value:e}"))
}

/// As `Float.toString`.
pub(super) fn float_text(value: f32) -> String {
    shown(f64::from(value), &format!("{value:e}"))
}

/// `scientific`: the shortest digits that mean the value, as `1.5e10`.
fn shown(value: f64, scientific: &str) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "Infinity" } else { "-Infinity" }.to_owned();
    }
    if value == 0.0 {
        return if value.is_sign_negative() { "-0.0" } else { "0.0" }.to_owned();
    }
    let (sign, plain) = match scientific.strip_prefix('-') {
        Some(plain) => ("-", plain),
        None => ("", scientific),
    };
    let (mantissa, exponent) = plain.split_once('e').unwrap_or((plain, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let digits: String = mantissa.chars().filter(|c| *c != '.').collect();
    if !(-3..7).contains(&exponent) {
        let (first, rest) = digits.split_at(1);
        let rest = if rest.is_empty() { "0" } else { rest };
        return format!("{sign}{first}.{rest}E{exponent}");
    }
    match usize::try_from(exponent) {
        Ok(before) => {
            let whole: String =
                digits.chars().chain("0".chars().cycle()).take(before + 1).collect();
            let rest = digits.get(before + 1..).filter(|r| !r.is_empty()).unwrap_or("0");
            format!("{sign}{whole}.{rest}")
        }
        Err(_) => {
            let zeros = "0".repeat(usize::try_from(-exponent - 1).unwrap_or(0));
            format!("{sign}0.{zeros}{digits}")
        }
    }
}

/// A decimal with `scale` digits behind the point, all of them shown.
pub(super) fn decimal_text(unscaled: i128, scale: i8) -> String {
    let sign = if unscaled < 0 { "-" } else { "" };
    let digits = unscaled.unsigned_abs().to_string();
    match usize::try_from(scale) {
        Ok(0) => format!("{sign}{digits}"),
        Ok(scale) => {
            let padded = format!("{digits:0>width$}", width = scale + 1);
            let (whole, rest) = padded.split_at(padded.len() - scale);
            format!("{sign}{whole}.{rest}")
        }
        Err(_) => format!("{sign}{digits}{}", "0".repeat(usize::from(scale.unsigned_abs()))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubles_look_as_in_java() {
        for (value, text) in [
            (1.0, "1.0"),
            (1e10, "1.0E10"),
            (0.001, "0.001"),
            (0.0001, "1.0E-4"),
            (1_234_567.0, "1234567.0"),
            (12_345_678.0, "1.2345678E7"),
            (123_456_789.123, "1.23456789123E8"),
            (-0.05, "-0.05"),
            (100.25, "100.25"),
            (9_999_999.0, "9999999.0"),
            (1e7, "1.0E7"),
            (0.0, "0.0"),
            (f64::NAN, "NaN"),
        ] {
            assert_eq!(double_text(value), text);
        }
        assert_eq!(float_text(1.1), "1.1");
        assert_eq!(float_text(1e7), "1.0E7");
    }

    #[test]
    fn texts_are_read_as_java_reads_them() {
        assert_eq!(java_double(" 1.5d "), Some(1.5));
        assert_eq!(java_double("-Infinity"), Some(f64::NEG_INFINITY));
        assert_eq!(java_double(".5"), Some(0.5));
        assert_eq!(java_double("5."), Some(5.0));
        for bad in ["", "inf", "0x10", "1 2", "e5", "1e", "--1", "+-1"] {
            assert_eq!(java_double(bad), None, "{bad}");
        }
    }

    #[test]
    fn decimals_show_all_their_digits() {
        assert_eq!(decimal_text(-5, 2), "-0.05");
        assert_eq!(decimal_text(150, 2), "1.50");
        assert_eq!(decimal_text(7, 0), "7");
        assert_eq!(decimal_text(7, -2), "700");
    }
}
