import CLibpq
import DequeModule

/// One round trip in libpq's pipeline mode: every query followed by a sync of its own.
struct Exchange {
    private enum Step {
        case prepare(Int, name: String)
        case execute(Int)
        /// Ends the implicit transaction of a query: only now is it committed.
        case sync(Int)
    }

    private let link: Link
    private let queries: [PostgresQuery]
    /// How each query ended; nil while that is not known.
    private(set) var outcomes: [Result<ResultHandle, PostgresError>?]
    private var steps: Deque<Step> = []
    /// What the query in progress answered before its sync.
    private var provisional: Result<ResultHandle, PostgresError>?
    private var cancellationsSeen = 0

    init(link: Link, queries: [PostgresQuery], outcomes: [Result<ResultHandle, PostgresError>?]) {
        self.link = link
        self.queries = queries
        self.outcomes = outcomes
    }

    /// Sends the queries that have no outcome yet and reads their results. What it returns is the fate of those that
    /// still have none.
    mutating func run(_ call: Call) -> PostgresError? {
        guard unsafe PQenterPipelineMode(link.connection) == 1 else { return abandon(link.lostError) }
        for index in queries.indices where outcomes[index] == nil {
            guard send(index) else { return abandon(link.lostError) }
        }
        do {
            while !steps.isEmpty { try advance(call) }
        } catch {
            guard error.code == .cancelled || error.code == .deadline else { return abandon(error) }
            if let failure = cancel(because: error) { return failure }
        }
        guard unsafe PQexitPipelineMode(link.connection) == 1 else { return abandon(link.lostError) }
        return nil
    }

    private func abandon(_ error: PostgresError) -> PostgresError {
        link.isBroken = true
        return error
    }

    private mutating func send(_ index: Int) -> Bool {
        let query = queries[index]
        let key = Link.PreparedKey(query)
        var name = link.prepared[key]
        if name == nil, link.preparesStatements, link.prepared.count < Link.preparedCountMax {
            // The number makes the name new on the server whatever became of an earlier one.
            link.preparedSequence += 1
            let fresh = "r\(link.preparedSequence)_\(query.statement.name.filter { $0 != "\0" }.prefix(40))"
            let types = key.types
            guard
                unsafe PQsendPrepare(link.connection, fresh, query.statement.text, CInt(types.count), types) == 1
            else { return false }
            steps.append(.prepare(index, name: fresh))
            name = fresh
        }
        guard execute(query, prepared: name), unsafe PQpipelineSync(link.connection) == 1 else { return false }
        steps.append(.execute(index))
        steps.append(.sync(index))
        return true
    }

    private func execute(_ query: PostgresQuery, prepared name: String?) -> Bool {
        let parameters = query.parameters
        let count = CInt(parameters.count)
        let size = parameters.reduce(1) { $0 + ($1.bytes?.count ?? 0) }
        let lengths = parameters.map { CInt($0.bytes?.count ?? 0) }
        let formats = [CInt](repeating: 1, count: parameters.count)
        // One buffer for all values, so that their addresses hold together while libpq copies them.
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: size, alignment: 1)
        defer { unsafe buffer.deallocate() }
        var offset = 0
        var values: [UnsafePointer<CChar>?] = unsafe []
        unsafe values.reserveCapacity(parameters.count)
        for parameter in parameters {
            guard let bytes = parameter.bytes else {
                unsafe values.append(nil)
                continue
            }
            let start = unsafe buffer.baseAddress! + offset
            unsafe bytes.withUnsafeBytes { source in
                if let base = source.baseAddress { unsafe start.copyMemory(from: base, byteCount: source.count) }
            }
            unsafe values.append(UnsafePointer(start.assumingMemoryBound(to: CChar.self)))
            offset += bytes.count
        }
        if let name {
            return unsafe PQsendQueryPrepared(link.connection, name, count, values, lengths, formats, 1) == 1
        }
        let types = parameters.map(\.type)
        return unsafe PQsendQueryParams(
            link.connection, query.statement.text, count, types, values, lengths, formats, 1) == 1
    }

    /// Reads until the first step is complete. Interrupted, it can be called again: nothing is lost.
    private mutating func advance(_ call: Call) throws(PostgresError) {
        guard let step = steps.first else { return }
        var endings = 0
        while true {
            guard let result = try link.nextResult(call) else {
                guard link.isUsable else { throw link.lostError }
                // An error of the commit itself is ended like a query's, before the sync's own result.
                guard case .sync = step else { break }
                endings += 1
                guard endings < 4 else { throw PostgresError(.connection, message: "libpq lost track of the pipeline") }
                continue
            }
            // libpq would give this result again and again, and wait for data that nobody sends or takes.
            if result.isCopy { link.isBroken = true }
            switch step {
            case .prepare(let index, let name):
                if let error = result.error(statement: queries[index].statement) {
                    record(error)
                } else {
                    link.prepared[Link.PreparedKey(queries[index])] = name
                }
            case .execute(let index):
                if let error = result.error(statement: queries[index].statement) {
                    record(error)
                } else if provisional == nil {
                    provisional = .success(result)
                }
            case .sync(let index):
                guard unsafe PQresultStatus(result.pointer) != PGRES_PIPELINE_SYNC else {
                    outcomes[index] = provisional
                    provisional = nil
                    steps.removeFirst()
                    return
                }
                // Such as a deferred constraint, checked when the sync commits.
                if let error = result.error(statement: queries[index].statement) { record(error) }
            }
            guard link.isUsable else { throw lost() }
        }
        steps.removeFirst()
    }

    /// The first error of a query is its outcome; what follows it is only marked as skipped.
    private mutating func record(_ error: PostgresError) {
        link.observe(error)
        if error.isServerCancellation { cancellationsSeen += 1 }
        if case .failure = provisional { return }
        provisional = .failure(error)
    }

    /// A server that ends a session says why in its last result.
    private mutating func lost() -> PostgresError {
        if case .failure(let error) = provisional { return error }
        return link.lostError
    }

    /// Has the server cancel what still runs, and reads on to the end, so that the connection can be used again.
    ///
    /// A cancel request travels beside the connection and may arrive late. Only when every one was acknowledged by its
    /// 57014 can none hit the connection's next statement; otherwise the connection is given up.
    private mutating func cancel(because interruption: PostgresError) -> PostgresError? {
        let grace = Call(deadline: Link.cancelGrace)
        var requests: [CancelRequest] = []
        do {
            while !steps.isEmpty {
                // A query that failed already has only its sync to come. One cancel ends one query.
                if requests.count == cancellationsSeen, provisional?.isFailure != true {
                    guard let request = link.sendCancel() else { return abandon(interruption) }
                    requests.append(request)
                }
                try advance(grace)
            }
            try link.settle(requests, grace)
        } catch { return abandon(interruption) }
        for (index, outcome) in outcomes.enumerated() {
            guard case .failure(let error) = outcome, error.isServerCancellation else { continue }
            outcomes[index] = nil
        }
        if requests.count != cancellationsSeen { return abandon(interruption) }
        guard unsafe PQexitPipelineMode(link.connection) == 1 else { return abandon(interruption) }
        return interruption
    }
}

extension Result {
    fileprivate var isFailure: Bool {
        if case .failure = self { return true }
        return false
    }
}
