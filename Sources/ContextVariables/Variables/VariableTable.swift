// What the values of variables are kept in: a small table keyed by dense identities.

/// A table from variables to what is kept for them: open addressing over two arrays, so that a look-up compares integers,
/// hashes nothing, allocates nothing and takes no reference. A copy is O(1) until one of the two is changed (`CV-10`).
struct VariableTable<Element: Sendable>: Sendable {
    /// The number of the variable in each place; 0 in a free one.
    private var numbers: [Int] = []
    private var elements: [Element?] = []

    /// How many elements there are.
    private(set) var count = 0

    var isEmpty: Bool { self.count == 0 }

    /// The place of a variable's element, good until the table is changed; `nil` when there is none.
    @inline(__always)
    func place(of id: VariableID) -> Int? {
        let mask = self.numbers.count - 1
        guard mask >= 0 else { return nil }
        var place = id.number & mask
        // A quarter of the places is free, so that the search ends.
        while true {
            let number = self.numbers[place]
            if number == id.number { return place }
            if number == 0 { return nil }
            place = (place + 1) & mask
        }
    }

    /// Where the box of a variable's element is, good until the table is changed. A pointer, so that no reference is taken for
    /// the length of a read.
    @inline(__always)
    func address(of id: VariableID, _ box: (Element) -> ValueBox) -> UnsafeRawPointer? {
        guard let place = self.place(of: id), let element = self.elements[place] else { return nil }
        return UnsafeRawPointer(Unmanaged.passUnretained(box(element)).toOpaque())
    }

    /// The element of a variable.
    subscript(id: VariableID) -> Element? {
        self.place(of: id).flatMap { self.elements[$0] }
    }

    /// Stores an element, or removes it when `element` is nil. Returns the old one.
    mutating func exchange(_ element: consuming Element?, for id: VariableID) -> Element? {
        if let place = self.place(of: id) {
            guard let element else { return self.remove(at: place) }
            let old = self.elements[place]
            self.elements[place] = element
            return old
        }
        guard let element else { return nil }
        self.insert(element, number: id.number)
        return nil
    }

    /// Calls the closure with every element.
    func forEach(_ body: (Element) -> Void) {
        for element in self.elements {
            if let element { body(element) }
        }
    }

    /// A table of the elements that satisfy the condition; the same one, O(1), when all do.
    func filter(_ isIncluded: (Element) -> Bool) -> VariableTable {
        guard self.elements.contains(where: { $0.map { !isIncluded($0) } ?? false }) else { return self }
        var table = VariableTable()
        for (number, element) in zip(self.numbers, self.elements) {
            if let element, isIncluded(element) { table.insert(element, number: number) }
        }
        return table
    }

    /// The table with other elements under the same variables.
    func mapValues(_ transform: (Element) -> Element) -> VariableTable {
        var table = self
        table.elements = self.elements.map { $0.map(transform) }
        return table
    }

    private mutating func insert(_ element: Element, number: Int) {
        if (self.count + 1) * 4 > self.numbers.count * 3 { self.grow() }
        let mask = self.numbers.count - 1
        var place = number & mask
        while self.numbers[place] != 0 { place = (place + 1) & mask }
        self.numbers[place] = number
        self.elements[place] = element
        self.count += 1
    }

    private mutating func grow() {
        let (numbers, elements) = (self.numbers, self.elements)
        let capacity = max(4, numbers.count * 2)
        self.numbers = Array(repeating: 0, count: capacity)
        self.elements = Array(repeating: nil, count: capacity)
        self.count = 0
        for (number, element) in zip(numbers, elements) {
            if let element { self.insert(element, number: number) }
        }
    }

    /// Frees a place and moves up what was only put behind it because it was taken.
    private mutating func remove(at place: Int) -> Element? {
        let mask = self.numbers.count - 1
        let old = self.elements[place]
        var free = place
        var next = (place + 1) & mask
        while self.numbers[next] != 0 {
            let home = self.numbers[next] & mask
            if (next - home) & mask >= (next - free) & mask {
                self.numbers[free] = self.numbers[next]
                self.elements[free] = self.elements[next]
                free = next
            }
            next = (next + 1) & mask
        }
        self.numbers[free] = 0
        self.elements[free] = nil
        self.count -= 1
        return old
    }
}
