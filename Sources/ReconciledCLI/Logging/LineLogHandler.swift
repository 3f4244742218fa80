import Glibc
import Logging
import Timeline

/// How log lines look.
enum LogFormat: String, CaseIterable, Sendable {
    /// For people.
    case text
    /// An object a line, for machines.
    case json
}

/// Writes each event as one line to standard error.
struct LineLogHandler: LogHandler {
    var logLevel: Logger.Level = .info
    var metadata: Logger.Metadata = [:]
    var metadataProvider: Logger.MetadataProvider?
    private let label: String
    private let format: LogFormat
    private let usesColour: Bool
    private let now: @Sendable () -> Timestamp
    private let write: @Sendable (String) -> Void

    init(
        label: String, format: LogFormat, usesColour: Bool,
        now: @escaping @Sendable () -> Timestamp = { .wallClock },
        write: @escaping @Sendable (String) -> Void = StandardError.write
    ) {
        self.label = label
        self.format = format
        self.usesColour = usesColour
        self.now = now
        self.write = write
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        var all = metadata
        if let provided = metadataProvider?.get() { all.merge(provided) { _, new in new } }
        if let given = event.metadata { all.merge(given) { _, new in new } }
        if let error = event.error { all["error"] = all["error"] ?? "\(error)" }
        let fields = all.sorted { $0.key < $1.key }.map { (key: $0.key, value: $0.value.description) }
        switch format {
        case .json: write(json(event, fields))
        case .text: write(text(event, fields))
        }
    }

    private func json(_ event: LogEvent, _ fields: [(key: String, value: String)]) -> String {
        var line = "{\"time\":\(JSONText.quoted(now().description)),\"level\":\"\(event.level.rawValue)\""
        line += ",\"logger\":\(JSONText.quoted(label)),\"message\":\(JSONText.quoted(event.message.description))"
        for field in fields {
            // A key of ours must not stand there twice: the line would not be one object any more.
            let key = ["time", "level", "logger", "message"].contains(field.key) ? "_" + field.key : field.key
            line += ",\(JSONText.quoted(key)):\(JSONText.quoted(field.value))"
        }
        return line + "}\n"
    }

    private func text(_ event: LogEvent, _ fields: [(key: String, value: String)]) -> String {
        let level = event.level.rawValue.uppercased()
        let shown = level + String(repeating: " ", count: max(0, 8 - level.count))
        let style: Style =
            switch event.level {
            case .error, .critical: .red
            case .warning: .yellow
            case .trace, .debug: .dim
            case .info, .notice: .green
            }
        var line =
            "\(now()) \(usesColour ? style.applied(to: shown) : shown) \(TerminalText.printable(event.message.description))"
        for field in fields {
            let isPlain = !field.value.isEmpty && field.value.allSatisfy { !$0.isWhitespace && $0 != "\"" && $0 != "=" }
            let value = isPlain ? TerminalText.printable(field.value) : JSONText.quoted(field.value)
            line += " \(TerminalText.printable(field.key))=\(value)"
        }
        return line + "\n"
    }
}
