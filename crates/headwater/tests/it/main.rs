//! Tests of the library against golden tables, stock Java, crashes and models.

mod corruption;
mod coverage;
mod faults;
mod interloper;
mod properties;
mod replay;
mod roundtrip;
mod rows;
mod small;
