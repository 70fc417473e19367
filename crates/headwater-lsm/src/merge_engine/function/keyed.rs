//! A small map from keys to elements that remembers the order in which keys came, made anew for
//! each key of the table without giving its memory back.

/// Elements by the numbers of [`super::ids::value_ids`], in the order in which their keys came.
#[derive(Debug)]
pub(super) struct Keyed<'a> {
    ids: &'a [usize],
    /// Elements; none where one was removed.
    elements: Vec<Option<usize>>,
    /// By key: in which round it was put, and where it is.
    places: Vec<(usize, usize)>,
    round: usize,
}

impl<'a> Keyed<'a> {
    /// An empty map of elements whose keys have these numbers.
    pub(super) fn new(ids: &'a [usize]) -> Self {
        Self { ids, elements: Vec::new(), places: vec![(0, 0); ids.len()], round: 1 }
    }

    /// Forgets all.
    pub(super) fn clear(&mut self) {
        self.elements.clear();
        self.round += 1;
    }

    /// Where the element with the key of `element` is.
    pub(super) fn place(&self, element: usize) -> Option<usize> {
        let (round, place) = self.places[self.ids[element]];
        (round == self.round).then_some(place)
    }

    /// The element with the key of `element`.
    pub(super) fn get(&self, element: usize) -> Option<usize> {
        self.place(element).and_then(|place| self.elements[place])
    }

    /// Puts an element in the place of the one with its key, or at the end.
    pub(super) fn put(&mut self, element: usize) {
        if let Some(place) = self.place(element) {
            self.elements[place] = Some(element);
            return;
        }
        self.places[self.ids[element]] = (self.round, self.elements.len());
        self.elements.push(Some(element));
    }

    /// Removes the element with the key of `element`.
    pub(super) fn remove(&mut self, element: usize) {
        if let Some(place) = self.place(element) {
            self.elements[place] = None;
            self.places[self.ids[element]] = (0, 0);
        }
    }

    /// The elements that are there.
    pub(super) fn elements(&self) -> impl Iterator<Item = usize> {
        self.elements.iter().copied().flatten()
    }
}
