import Hummingbird

/// An operation and what it does.
struct APIRoute: Sendable {
    var operation: APIOperation
    var handle: @Sendable (APIRequest) async throws -> Response

    func add(to router: Router<ConsoleContext>) {
        let group = router.group()
        if let role = operation.role { group.add(middleware: RequireRole(role)) }
        group.on(RouterPath(operation.path), method: operation.method) { request, context in
            try await handle(APIRequest(request, context, operation))
        }
    }
}
