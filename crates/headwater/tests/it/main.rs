//! Tests of the library against golden tables, stock Java, crashes and models.

mod coverage;
mod faults;
mod interloper;
mod replay;
mod roundtrip;
mod rows;
mod small;
