// Workers: units one after another, and what a recycle reports.

import ContextVariables
import Testing

@Suite("Workers")
struct WorkerTests {
    private let worker = Worker(kind: "job:ship", number: 0)
    private let first = RecyclableVariable<Int>("first")
    private let second = RecyclableVariable<Int>("second")

    @Test("A name is kind and number, with a slash when the kind has a colon.")
    func names() {
        #expect(self.worker.description == "job:ship/0")
        #expect(Worker(kind: "conn", number: 17).description == "conn:17")
    }

    @Test("The first recycle has no epoch before it.")
    func firstRecycle() {
        #expect(self.worker.epoch == nil)
        let recycling = self.worker.recycle()
        #expect(recycling.before == nil)
        #expect(recycling.after == self.worker.epoch)
        #expect(recycling.variablesDropped == 0)
    }

    @Test("A recycle names both epochs and counts the values it released.")
    func recycleCounts() throws {
        let before = self.worker.recycle().after
        try inUnit(self.worker.currentUnit()) {
            try self.first.set(1)
            try self.second.set(2)
            try self.second.set(3)
        }
        let recycling = self.worker.recycle()
        #expect(recycling.before == before)
        #expect(recycling.variablesDropped == 2)
        #expect(self.worker.recycle().variablesDropped == 0)
    }

    @Test("A recycle touches no other worker.")
    func otherWorkersKeepTheirs() throws {
        let other = Worker(kind: "conn", number: 1)
        try inUnit(other.currentUnit()) {
            try self.first.set(1)
            self.worker.recycle()
            #expect(try self.first.get() == 1)
        }
    }

    @Test("A request claims a new unit; one inside it gets a unit of its own and recycles nothing.")
    func nestedClaim() {
        let outer = self.worker.claimUnit()
        #expect(outer.recycling?.after == outer.unit.epoch)
        let inner = self.worker.claimUnit()
        #expect(inner.recycling == nil)
        #expect(inner.unit.epoch != outer.unit.epoch)
        self.worker.releaseUnit(inner.unit)
        #expect(inner.unit.isEnded)
        #expect(!outer.unit.isEnded)
        #expect(self.worker.epoch == outer.unit.epoch)
        self.worker.releaseUnit(outer.unit)
        let next = self.worker.claimUnit()
        #expect(next.recycling?.before == outer.unit.epoch)
    }

    @Test("The values of a request are gone when it ends, and the next recycle counts them.")
    func releasedRequest() throws {
        let claim = self.worker.claimUnit()
        try inUnit(claim.unit) { try self.first.set(1) }
        self.worker.releaseUnit(claim.unit)
        #expect(self.worker.claimUnit().recycling?.variablesDropped == 1)
    }

    @Test("A recycle in the middle of a request does not make the worker nested for ever.")
    func recycleInsideRequest() {
        let claim = self.worker.claimUnit()
        self.worker.recycle()
        #expect(claim.unit.isEnded)
        self.worker.releaseUnit(claim.unit)
        #expect(self.worker.claimUnit().recycling != nil)
    }

    @Test("Between requests a worker has a live unit, and the values of the last are still counted.")
    func betweenRequests() throws {
        let claim = self.worker.claimUnit()
        try inUnit(claim.unit) { try self.first.set(1) }
        self.worker.releaseUnit(claim.unit)
        let unit = self.worker.currentUnit()
        #expect(!unit.isEnded)
        #expect(unit.epoch != claim.unit.epoch)
        #expect(self.worker.currentUnit() === unit)
        try inUnit(unit) { try self.first.set(2) }
        let recycling = self.worker.recycle()
        #expect(recycling.before == unit.epoch)
        #expect(recycling.variablesDropped == 2)
    }

    @Test("Values die outside the worker's lock: their deinit may ask the worker.")
    func deinitMayAskTheWorker() throws {
        let held = RecyclableVariable<Probe>("held")
        let worker = self.worker
        let died = Gate()
        worker.recycle()
        try inUnit(worker.currentUnit()) {
            try held.set(
                Probe {
                    _ = worker.epoch
                    died.open()
                }
            )
        }
        #expect(worker.recycle().variablesDropped == 1)
    }

    @Test("Epochs are unique over all threads.")
    func uniqueEpochs() async {
        let epochs = await withTaskGroup(of: [Epoch].self) { group in
            for _ in 0..<8 { group.addTask { (0..<500).map { _ in WorkUnit().epoch } } }
            return await group.reduce(into: []) { $0 += $1 }
        }
        #expect(Set(epochs).count == 4000)
    }
}
