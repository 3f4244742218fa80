import Hummingbird

/// An operation and what it does.
struct APIRoute: Sendable {
    var operation: APIOperation
    var handle: @Sendable (APIRequest) async throws -> Response

    func add(to router: Router<ConsoleContext>) {
        let required = operation.role.map(RequireRole.init)
        router.on(RouterPath(operation.path), method: operation.method) { request, context in
            try required?.check(context.caller)
            return try await handle(APIRequest(request, context, operation))
        }
    }
}
