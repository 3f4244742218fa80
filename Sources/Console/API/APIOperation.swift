import Hummingbird

/// One method of one path of the HTTP interface, as the OpenAPI document tells of it.
public struct APIOperation: Sendable {
    /// A value in the query or, where it stands in the path in braces, in the path.
    public struct Parameter: Sendable {
        public var name: String
        public var text: String
        /// JSON Schema.
        public var schema: String

        public init(_ name: String, _ text: String, schema: String) {
            self.name = name
            self.text = text
            self.schema = schema
        }
    }

    public struct Body: Sendable {
        /// JSON Schema.
        public var schema: String
        public var bytesMax: Int

        public init(schema: String, bytesMax: Int = 64 << 10) {
            self.schema = schema
            self.bytesMax = bytesMax
        }
    }

    public struct Answer: Sendable {
        public var status: HTTPResponse.Status
        public var text: String
        public var type: String
        /// JSON Schema; nil for a body that is no JSON.
        public var schema: String?

        public init(
            _ status: HTTPResponse.Status, _ text: String, type: String = "application/json", schema: String? = nil
        ) {
            self.status = status
            self.text = text
            self.type = type
            self.schema = schema
        }
    }

    public var method: HTTPRequest.Method
    /// With parameters in braces: `/v1/orders/{id}`.
    public var path: String
    /// Nil: anyone may ask.
    public var role: AccessToken.Role?
    public var summary: String
    public var pathParameters: [Parameter]
    /// Others are refused.
    public var query: [Parameter]
    public var body: Body?
    /// Whether any query and any type of body will do: others decided what they send.
    public var takesAnything = false
    public var answers: [Answer]
    /// What can be wrong besides what follows from the rest.
    public var problems: [HTTPResponse.Status]

    public init(
        _ method: HTTPRequest.Method, _ path: String, role: AccessToken.Role?, _ summary: String,
        pathParameters: [Parameter] = [], query: [Parameter] = [], body: Body? = nil, answers: [Answer],
        problems: [HTTPResponse.Status] = []
    ) {
        self.method = method
        self.path = path
        self.role = role
        self.summary = summary
        self.pathParameters = pathParameters
        self.query = query
        self.body = body
        self.answers = answers
        self.problems = problems
    }
}
