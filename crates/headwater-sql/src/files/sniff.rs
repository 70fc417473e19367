//! Types of text columns, taken from their values: a type is taken only if every value's text can
//! be had back from it, apart from zeros behind the last digit of a fraction. `007` and `+49170`
//! are texts.

use std::fmt;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, BooleanArray, PrimitiveArray, StringArray};
use arrow::compute::kernels::cast_utils::Parser;
use arrow::datatypes::{
    ArrowPrimitiveType, DataType, Date32Type, Decimal128Type, Float64Type, Int64Type, TimeUnit,
    TimestampMicrosecondType, TimestampNanosecondType,
};

/// Most digits of a DECIMAL.
const MAX_PRECISION: usize = 38;

/// Digits in front of the point that a DECIMAL column has at least.
const LEAST_INTEGER_DIGITS: usize = 18;

/// The type of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    Boolean,
    BigInt,
    /// Precision, scale.
    Decimal(u8, i8),
    Double,
    Date,
    /// Without a zone: micro- or nanoseconds.
    Timestamp(TimeUnit),
    /// With a zone or offset.
    TimestampLtz(TimeUnit),
    Text,
}

impl Kind {
    /// The type of its values.
    pub(super) fn data_type(self) -> DataType {
        match self {
            Self::Boolean => DataType::Boolean,
            Self::BigInt => DataType::Int64,
            Self::Decimal(precision, scale) => DataType::Decimal128(precision, scale),
            Self::Double => DataType::Float64,
            Self::Date => DataType::Date32,
            Self::Timestamp(unit) => DataType::Timestamp(unit, None),
            Self::TimestampLtz(unit) => DataType::Timestamp(unit, Some("+00:00".into())),
            Self::Text => DataType::Utf8,
        }
    }

    /// The values of texts; the position of the first that is not of this type otherwise.
    pub(super) fn values(self, texts: &StringArray) -> Result<ArrayRef, usize> {
        Ok(match self {
            Self::Boolean => {
                let values = each(texts, boolean)?;
                Arc::new(BooleanArray::from(values))
            }
            Self::BigInt => primitive::<Int64Type>(texts, self, bigint)?,
            Self::Decimal(_, scale) => {
                let scale = usize::try_from(scale).unwrap_or(0);
                primitive::<Decimal128Type>(texts, self, |text| decimal(text, scale))?
            }
            Self::Double => primitive::<Float64Type>(texts, self, double)?,
            Self::Date => primitive::<Date32Type>(texts, self, date)?,
            Self::Timestamp(unit) | Self::TimestampLtz(unit) => {
                let zoned = matches!(self, Self::TimestampLtz(_));
                if unit == TimeUnit::Nanosecond {
                    let parse = |text: &str| match moment(text)? {
                        m if m.zoned == zoned => TimestampNanosecondType::parse(text),
                        _ => None,
                    };
                    primitive::<TimestampNanosecondType>(texts, self, parse)?
                } else {
                    let parse = |text: &str| match moment(text)? {
                        m if m.zoned == zoned && m.digits <= 6 => {
                            TimestampMicrosecondType::parse(text)
                        }
                        _ => None,
                    };
                    primitive::<TimestampMicrosecondType>(texts, self, parse)?
                }
            }
            Self::Text => Arc::new(texts.clone()),
        })
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Boolean => f.write_str("BOOLEAN"),
            Self::BigInt => f.write_str("BIGINT"),
            Self::Decimal(precision, scale) => write!(f, "DECIMAL({precision}, {scale})"),
            Self::Double => f.write_str("DOUBLE"),
            Self::Date => f.write_str("DATE"),
            Self::Timestamp(_) => f.write_str("TIMESTAMP"),
            Self::TimestampLtz(_) => f.write_str("TIMESTAMP_LTZ"),
            Self::Text => f.write_str("STRING"),
        }
    }
}

fn each<V>(
    texts: &StringArray,
    parse: impl Fn(&str) -> Option<V>,
) -> Result<Vec<Option<V>>, usize> {
    let value = |(at, text): (usize, Option<&str>)| match text {
        None => Ok(None),
        Some(text) => parse(text).map(Some).ok_or(at),
    };
    texts.iter().enumerate().map(value).collect()
}

fn primitive<T: ArrowPrimitiveType>(
    texts: &StringArray,
    kind: Kind,
    parse: impl Fn(&str) -> Option<T::Native>,
) -> Result<ArrayRef, usize> {
    let values: PrimitiveArray<T> = each(texts, parse)?.into_iter().collect();
    Ok(Arc::new(values.with_data_type(kind.data_type())))
}

/// What is known of a column's values so far.
#[derive(Debug, Clone)]
pub(super) struct Guess {
    values: bool,
    boolean: bool,
    bigint: bool,
    double: bool,
    date: bool,
    /// Whether all are moments, and whether with a zone.
    timestamp: bool,
    timestamp_ltz: bool,
    second_digits: usize,
    decimal: bool,
    integer_digits: usize,
    scale: usize,
}

impl Default for Guess {
    fn default() -> Self {
        Self {
            values: false,
            boolean: true,
            bigint: true,
            double: true,
            date: true,
            timestamp: true,
            timestamp_ltz: true,
            second_digits: 0,
            decimal: true,
            integer_digits: 0,
            scale: 0,
        }
    }
}

impl Guess {
    /// Looks at values of the column.
    pub(super) fn look(&mut self, texts: &ArrayRef) {
        for text in texts.as_string::<i32>().iter().flatten() {
            self.values = true;
            self.boolean = self.boolean && boolean(text).is_some();
            self.bigint = self.bigint && bigint(text).is_some();
            self.double = self.double && double(text).is_some();
            self.date = self.date && date(text).is_some();
            if self.timestamp || self.timestamp_ltz {
                let moment = moment(text);
                self.timestamp = self.timestamp && moment.as_ref().is_some_and(|m| !m.zoned);
                self.timestamp_ltz = self.timestamp_ltz && moment.as_ref().is_some_and(|m| m.zoned);
                self.second_digits = self.second_digits.max(moment.map_or(0, |m| m.digits));
            }
            if self.decimal {
                match plain_number(text) {
                    Some(number) => {
                        self.integer_digits = self.integer_digits.max(number.integer.len());
                        self.scale = self.scale.max(number.fraction.len());
                    }
                    None => self.decimal = false,
                }
            }
        }
    }

    /// The type that all values seen have.
    pub(super) fn kind(&self) -> Kind {
        let unit =
            if self.second_digits > 6 { TimeUnit::Nanosecond } else { TimeUnit::Microsecond };
        let digits = self.integer_digits.saturating_add(self.scale);
        if !self.values {
            Kind::Text
        } else if self.boolean {
            Kind::Boolean
        } else if self.bigint {
            Kind::BigInt
        } else if self.double {
            Kind::Double
        } else if self.decimal && digits <= MAX_PRECISION {
            let integer = self.integer_digits.max(LEAST_INTEGER_DIGITS);
            let precision = integer.saturating_add(self.scale).min(MAX_PRECISION);
            match (u8::try_from(precision), i8::try_from(self.scale)) {
                (Ok(precision), Ok(scale)) => Kind::Decimal(precision, scale),
                _ => Kind::Text,
            }
        } else if self.date {
            Kind::Date
        } else if self.timestamp {
            Kind::Timestamp(unit)
        } else if self.timestamp_ltz {
            Kind::TimestampLtz(unit)
        } else {
            Kind::Text
        }
    }
}

fn boolean(text: &str) -> Option<bool> {
    if text.eq_ignore_ascii_case("true") {
        Some(true)
    } else if text.eq_ignore_ascii_case("false") {
        Some(false)
    } else {
        None
    }
}

/// A number without an exponent, as people write it: no plus sign, no zeros in front.
struct PlainNumber<'a> {
    negative: bool,
    integer: &'a str,
    /// Without zeros at its end.
    fraction: &'a str,
}

fn plain_number(text: &str) -> Option<PlainNumber<'_>> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (integer, fraction) = match digits.split_once('.') {
        Some((_, "")) => return None,
        Some((integer, fraction)) => (integer, fraction),
        None => (digits, ""),
    };
    let all_digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    if integer.is_empty()
        || !all_digits(integer)
        || !all_digits(fraction)
        || integer.len() > 1 && integer.starts_with('0')
    {
        return None;
    }
    Some(PlainNumber { negative, integer, fraction: fraction.trim_end_matches('0') })
}

fn bigint(text: &str) -> Option<i64> {
    let number = plain_number(text)?;
    let is_minus_zero = number.negative && number.integer == "0";
    if is_minus_zero || text.contains('.') { None } else { text.parse().ok() }
}

fn decimal(text: &str, scale: usize) -> Option<i128> {
    let number = plain_number(text)?;
    let zeros = scale.checked_sub(number.fraction.len())?;
    let digits = number.integer.trim_start_matches('0').len().saturating_add(scale);
    if digits > MAX_PRECISION {
        return None;
    }
    let mut value = 0_i128;
    let zeros = std::iter::repeat_n(b'0', zeros);
    for digit in number.integer.bytes().chain(number.fraction.bytes()).chain(zeros) {
        value = value.checked_mul(10)?.checked_add(i128::from(digit - b'0'))?;
    }
    Some(if number.negative { -value } else { value })
}

/// A DOUBLE from which the same digits come back.
fn double(text: &str) -> Option<f64> {
    if let Some(number) = plain_number(text) {
        let value: f64 = text.parse().ok()?;
        let back = value.to_string();
        let back = plain_number(&back)?;
        let same = back.negative == number.negative
            && back.integer == number.integer
            && back.fraction == number.fraction;
        return same.then_some(value);
    }
    match text {
        "NaN" => return Some(f64::NAN),
        "inf" | "Infinity" => return Some(f64::INFINITY),
        "-inf" | "-Infinity" => return Some(f64::NEG_INFINITY),
        _ => {}
    }
    // With an exponent; the digits in front of it are a plain number.
    let (mantissa, exponent) = text.split_once(['e', 'E'])?;
    let number = plain_number(mantissa)?;
    let digits = exponent.trim_start_matches(['+', '-']);
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    // Up to 17 digits are what programs write for a DOUBLE.
    if number.integer.len().saturating_add(number.fraction.len()) > 17 {
        return None;
    }
    text.parse().ok().filter(|value: &f64| value.is_finite())
}

fn date(text: &str) -> Option<i32> {
    if is_pattern(text.as_bytes(), b"0000-00-00") { Date32Type::parse(text) } else { None }
}

/// A date with a time of day.
struct Moment {
    zoned: bool,
    /// Digits of the fraction of a second.
    digits: usize,
}

fn moment(text: &str) -> Option<Moment> {
    let (day, rest) = text.split_at_checked(10)?;
    date(day)?;
    let time = rest.strip_prefix([' ', 'T'])?;
    let (clock, rest) = time.split_at_checked(8)?;
    if !is_pattern(clock.as_bytes(), b"00:00:00") {
        return None;
    }
    let (digits, zone) = match rest.strip_prefix('.') {
        Some(rest) => {
            let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
            (digits, rest.get(digits..)?)
        }
        None => (0, rest),
    };
    let fraction_is_right = rest.starts_with('.') == (digits > 0) && digits <= 9;
    let zone_is_right =
        zone.is_empty() || zone == "Z" || is_pattern(zone.get(1..)?.as_bytes(), b"00:00");
    let sign_is_right = zone.is_empty() || zone.starts_with(['Z', '+', '-']);
    // Whether there is such a day and time, and whether it can be held.
    TimestampMicrosecondType::parse(text)?;
    if digits > 6 {
        TimestampNanosecondType::parse(text)?;
    }
    (fraction_is_right && zone_is_right && sign_is_right)
        .then_some(Moment { zoned: !zone.is_empty(), digits })
}

/// Whether the text has digits where the pattern has zeros, and is the same elsewhere.
fn is_pattern(text: &[u8], pattern: &[u8]) -> bool {
    text.len() == pattern.len()
        && text
            .iter()
            .zip(pattern)
            .all(|(b, p)| if *p == b'0' { b.is_ascii_digit() } else { b == p })
}

#[cfg(test)]
mod tests {
    use arrow::array::Array;

    use super::*;

    fn guess(values: &[&str]) -> Kind {
        let mut guess = Guess::default();
        let texts: ArrayRef = Arc::new(StringArray::from(values.to_vec()));
        guess.look(&texts);
        let kind = guess.kind();
        let typed = kind.values(texts.as_string()).unwrap();
        assert_eq!(typed.data_type(), &kind.data_type());
        assert_eq!(typed.null_count(), 0);
        kind
    }

    #[test]
    fn types_keep_the_text() {
        let ns = TimeUnit::Nanosecond;
        let us = TimeUnit::Microsecond;
        for (values, kind) in [
            (vec!["1", "-20", "0"], Kind::BigInt),
            (vec!["1", "007"], Kind::Text),
            (vec!["+49170"], Kind::Text),
            (vec!["-0"], Kind::Double),
            (vec!["9223372036854775807"], Kind::BigInt),
            (vec!["9223372036854775809"], Kind::Decimal(19, 0)),
            (vec!["1.5", "2"], Kind::Double),
            (vec!["19.90", "0.30000000000000004"], Kind::Double),
            (vec!["12345678901234567.89", "1"], Kind::Decimal(20, 2)),
            (vec!["1.1e3", "NaN"], Kind::Double),
            (vec!["12345678901234567890123456789012345678901"], Kind::Text),
            (vec!["1."], Kind::Text),
            (vec![".5"], Kind::Text),
            (vec!["1,5"], Kind::Text),
            (vec!["1 "], Kind::Text),
            (vec!["true", "FALSE"], Kind::Boolean),
            (vec!["t"], Kind::Text),
            (vec!["2026-02-28"], Kind::Date),
            (vec!["2026-02-30"], Kind::Text),
            (vec!["2026-2-3"], Kind::Text),
            (vec!["2026-02-28 10:00:00", "2026-02-28T10:00:00.123456"], Kind::Timestamp(us)),
            (vec!["2026-02-28 10:00:00.1234567"], Kind::Timestamp(ns)),
            (vec!["2026-02-28T10:00:00Z", "2026-02-28 10:00:00+02:00"], Kind::TimestampLtz(us)),
            (vec!["2026-02-28T10:00:00Z", "2026-02-28 10:00:00"], Kind::Text),
            (vec!["2026-02-28 25:00:00"], Kind::Text),
            (vec!["2026-02-28", "2026-02-28 10:00:00"], Kind::Text),
            (vec!["9999-12-31 10:00:00.1234567"], Kind::Text),
            (vec!["2026-02-28 10:00:00ü"], Kind::Text),
            (vec![], Kind::Text),
        ] {
            assert_eq!(guess(&values), kind, "{values:?}");
        }
    }

    #[test]
    fn values_that_do_not_fit_are_found() {
        let texts = StringArray::from(vec![Some("1"), None, Some("01")]);
        assert_eq!(Kind::BigInt.values(&texts).unwrap_err(), 2);
        assert_eq!(Kind::Decimal(20, 2).values(&texts).unwrap_err(), 2);
        let texts = StringArray::from(vec!["1.25", "1.255"]);
        assert_eq!(Kind::Decimal(20, 2).values(&texts).unwrap_err(), 1);
        let texts = StringArray::from(vec!["2026-01-01 00:00:00", "2026-01-01 00:00:00.1234567"]);
        assert_eq!(Kind::Timestamp(TimeUnit::Microsecond).values(&texts).unwrap_err(), 1);
    }
}
