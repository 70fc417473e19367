//! A memory budget that buffers share: reserve, grow, release. Counts bytes; allocates nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::error::IoErrorKind;

/// A reservation that the budget cannot grant.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "not enough memory for {name}: {requested} bytes more asked for, {used} of {limit} bytes in use"
)]
pub struct MemoryError {
    /// Who asked.
    pub name: String,
    /// Bytes asked for on top of what the reservation already has.
    pub requested: usize,
    /// Bytes in use by all reservations.
    pub used: usize,
    /// Size of the budget in bytes.
    pub limit: usize,
}

impl MemoryError {
    /// What a caller can do about it: release something and retry.
    #[must_use]
    pub const fn kind(&self) -> IoErrorKind {
        IoErrorKind::Unavailable
    }
}

/// A number of bytes shared by all who reserve from it. Clones share the same budget.
#[derive(Debug, Clone)]
pub struct MemoryBudget {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    limit: usize,
    used: AtomicUsize,
}

impl MemoryBudget {
    /// A budget of `limit_bytes`.
    #[must_use]
    pub fn new(limit_bytes: usize) -> Self {
        Self { inner: Arc::new(Inner { limit: limit_bytes, used: AtomicUsize::new(0) }) }
    }

    /// An empty reservation; `name` appears in error messages.
    #[must_use]
    pub fn reserve(&self, name: impl Into<String>) -> Reservation {
        Reservation { inner: Arc::clone(&self.inner), name: name.into(), size: 0 }
    }

    /// Size of the budget in bytes.
    #[must_use]
    pub fn limit(&self) -> usize {
        self.inner.limit
    }

    /// Bytes in use; above the limit when somebody had to [`Reservation::grow`].
    #[must_use]
    pub fn used(&self) -> usize {
        self.inner.used.load(Ordering::Acquire)
    }

    /// Bytes that can still be granted.
    #[must_use]
    pub fn available(&self) -> usize {
        self.limit().saturating_sub(self.used())
    }
}

/// A part of a budget; given back when dropped.
#[derive(Debug)]
pub struct Reservation {
    inner: Arc<Inner>,
    name: String,
    size: usize,
}

impl Reservation {
    /// Bytes held.
    #[must_use]
    pub const fn size(&self) -> usize {
        self.size
    }

    /// Takes `bytes` more, if the budget has them.
    ///
    /// # Errors
    /// The budget would be exceeded; the reservation is unchanged.
    pub fn try_grow(&mut self, bytes: usize) -> Result<(), MemoryError> {
        let limit = self.inner.limit;
        let granted = self.inner.used.fetch_update(Ordering::AcqRel, Ordering::Acquire, |used| {
            used.checked_add(bytes).filter(|total| *total <= limit)
        });
        match granted {
            Ok(_) => {
                self.size += bytes;
                Ok(())
            }
            Err(used) => {
                Err(MemoryError { name: self.name.clone(), requested: bytes, used, limit })
            }
        }
    }

    /// Takes `bytes` more, even past the limit: for memory that is in use already.
    pub fn grow(&mut self, bytes: usize) {
        self.inner.used.fetch_add(bytes, Ordering::AcqRel);
        self.size += bytes;
    }

    /// Gives `bytes` back, at most all.
    pub fn shrink(&mut self, bytes: usize) {
        let given = bytes.min(self.size);
        self.size -= given;
        self.inner.used.fetch_sub(given, Ordering::AcqRel);
    }

    /// Holds exactly `bytes`, growing past the limit if it must.
    pub fn resize(&mut self, bytes: usize) {
        match bytes.checked_sub(self.size) {
            Some(more) => self.grow(more),
            None => self.shrink(self.size - bytes),
        }
    }

    /// Gives everything back.
    pub fn free(&mut self) {
        self.shrink(self.size);
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.free();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn growth_past_the_limit_is_refused_and_changes_nothing() {
        let budget = MemoryBudget::new(100);
        let mut a = budget.reserve("a");
        let mut b = budget.reserve("sort buffer");
        a.try_grow(80).unwrap();
        let error = b.try_grow(21).unwrap_err();
        assert_eq!((error.requested, error.used, error.limit), (21, 80, 100));
        assert!(error.to_string().contains("sort buffer"));
        assert_eq!((b.size(), budget.used()), (0, 80));
        b.try_grow(20).unwrap();
        assert_eq!(budget.available(), 0);
    }

    #[test]
    fn growth_that_would_overflow_is_refused() {
        let budget = MemoryBudget::new(usize::MAX);
        let mut a = budget.reserve("a");
        a.try_grow(1).unwrap();
        assert!(a.try_grow(usize::MAX).is_err());
    }

    #[test]
    fn a_dropped_reservation_gives_everything_back() {
        let budget = MemoryBudget::new(10);
        let mut a = budget.reserve("a");
        a.grow(15);
        assert_eq!((budget.used(), budget.available()), (15, 0));
        a.resize(4);
        assert_eq!(budget.used(), 4);
        a.shrink(100);
        assert_eq!((a.size(), budget.used()), (0, 0));
        a.resize(7);
        drop(a);
        assert_eq!(budget.used(), 0);
    }

    #[test]
    fn concurrent_growth_never_exceeds_the_limit() {
        let budget = MemoryBudget::new(1_000);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..1_000 {
                        let mut mine = budget.reserve("mine");
                        while mine.try_grow(90).is_ok() {
                            assert!(budget.used() <= 1_000);
                        }
                    }
                });
            }
        });
        assert_eq!(budget.used(), 0);
    }
}
