// The example of the README, compiled: the README shows the body of the function.

import Contrail
import ContrailHummingbird
import ContrailServer
import ContrailStore
import Hummingbird

func runShop() async throws {
    let trail = try TrailStore(path: "var/contrail.sqlite", app: "shop")
    let app = App("shop", recorder: trail.recorder)
    try app.teardownAppContext("close_cart") { context, outcome in
        print("cart", context.g["cart_id"] ?? "none", "ended", outcome)
    }
    let router = Router(context: BasicConnectionRequestContext.self)
    Postmortem(trail).addRoutes(to: router.group("_contrail"))
    router.group().add(middleware: ContrailMiddleware(app)).get("cart/{id}") { _, context in
        let id = try context.parameters.require("id")
        try Current.g["cart_id"] = id
        return "cart \(id)"
    }
    let server = Application(router: router, services: [trail])
    try await server.runService()
}
