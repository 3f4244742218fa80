import ArgumentParser
import Glibc
import JSON
import Payments
import Postgres
import Reconciling
import Schema
import Settings

/// Why a command ends without having done its work: one line for people, without credentials, and the exit code.
struct CommandFailure: Error {
    static let failed: Int32 = 1
    static let findings: Int32 = 2
    static let badUsage: Int32 = 64
    static let badConfiguration: Int32 = 78

    var message: String
    var code: Int32

    init(_ message: String, code: Int32 = failed) {
        self.message = message
        self.code = code
    }

    /// Nil for what the argument parser explains by itself.
    init?(_ error: any Error) {
        switch error {
        case let failure as CommandFailure: self = failure
        case let error as SettingsError: self.init(error.description, code: Self.badConfiguration)
        // A poller on a schema that it does not know must not be restarted for ever.
        case let error as SchemaError: self.init(error.description, code: Self.badConfiguration)
        case let error as InputError: self.init(error.description)
        case let error as PostgresError: self.init(error)
        case let error as StoreError: self.init("the database refused: \(error)")
        case is CleanExit, is ValidationError, is ExitCode: return nil
        case is CancellationError: self.init("interrupted")
        default:
            // The parser's own errors are private types; everything else is ours.
            guard !String(reflecting: type(of: error)).hasPrefix("ArgumentParser.") else { return nil }
            self.init(String(describing: error))
        }
    }

    private init(_ error: PostgresError) {
        let message = error.description.split(separator: "\n").joined(separator: "; ")
        switch error.code {
        case .configuration: self.init("database.url: \(message)", code: Self.badConfiguration)
        case .connection: self.init("the database cannot be reached: \(message)")
        default: self.init("the database refused: \(message)")
        }
    }
}
