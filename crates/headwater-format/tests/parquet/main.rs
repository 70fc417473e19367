//! Parquet data files, from outside: against Java's files, round trips, damage, other writers.

mod canonical;
mod damage;
mod evolution;
mod files;
mod foreign;
mod golden;
mod round_trip;
mod zz_export;
