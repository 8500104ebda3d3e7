// Whose a context is.

import Contrail
import Testing

@Suite("Owners of namespaces")
struct NamespaceOwnerTests {
    @Test("G-09: a context is described by the app that owns it, whichever app is current.")
    func description() {
        withAppContext(App("owner")) { owner in
            withAppContext(App("active")) { _ in
                #expect(owner.description.hasPrefix("<AppContext of owner"))
            }
        }
    }
}
