import Foundation
import Testing

/// What must hold for the repository as text; the reasons stand in the house style.
@Suite struct RepositoryTests {
    static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    struct Line: CustomStringConvertible {
        var file: String
        var number: Int
        var text: String
        var description: String { "\(file):\(number): \(text)" }
    }

    static func lines(under folder: String, pathExtension: String = "swift") throws -> [Line] {
        let directory = root.appending(path: folder)
        let paths = try FileManager.default.subpathsOfDirectory(atPath: directory.path).sorted()
        return try paths.filter { $0.hasSuffix(".\(pathExtension)") }.flatMap { path in
            let text = try String(contentsOf: directory.appending(path: path), encoding: .utf8)
            return text.split(separator: "\n", omittingEmptySubsequences: false).enumerated().map {
                Line(file: "\(folder)/\(path)", number: $0.offset + 1, text: String($0.element))
            }
        }
    }

    static func offenders(_ pattern: some RegexComponent, under folder: String, except: [String] = []) throws -> [Line]
    {
        let lines = try lines(under: folder)
        #expect(lines.count > 100, "nothing was read under \(folder)")
        return lines.filter { line in
            !except.contains { line.file.hasPrefix($0) }
                && !line.text.trimmingCharacters(in: .whitespaces).hasPrefix("//")
                && line.text.contains(pattern)
        }
    }

    @Test func concurrencyIsStructured() throws {
        let task = /Task\.detached|(^|[^A-Za-z.])Task( *\{|\(|<)/
        #expect(try Self.offenders(task, under: "Sources", except: ["Sources/Postgres/"]).isEmpty)
    }

    @Test func nothingEscapesTheCompilersChecks() throws {
        let escape = /@unchecked Sendable|nonisolated\(unsafe\)/
        #expect(try Self.offenders(escape, under: "Sources", except: ["Sources/Postgres/"]).isEmpty)
    }

    @Test func statementsAreFiles() throws {
        let statement = /"{1,3}\s*(SELECT|INSERT INTO|UPDATE|DELETE FROM|WITH|CREATE|ALTER|DROP|TRUNCATE)[ ]/
        let found = try Self.offenders(
            statement, under: "Sources", except: ["Sources/EmbedTool/", "Sources/Postgres/"])
        #expect(found.isEmpty)
    }

    @Test func theEngineKnowsNeitherPostgresNorHTTP() throws {
        let imports = /import (C?libpq|CLibpq|Postgres|PostgresStore|Schema|NIO.*|AsyncHTTPClient|Hummingbird)/
        #expect(try Self.offenders(imports, under: "Sources/Reconciling").isEmpty)
    }

    @Test func testsDoNotSleep() throws {
        // What waits for a condition polls it through the one place that is allowed to.
        let sleep = /usleep\(|Thread\.sleep|[^A-Za-z_]sleep\(\d/
        #expect(try Self.offenders(sleep, under: "Tests", except: ["Tests/TestSupport/"]).isEmpty)
    }

    @Test func everyStatementSaysWhatItDoes() throws {
        for folder in ["sql", "migrations"] {
            let first = try Self.lines(under: folder, pathExtension: "sql").filter { $0.number == 1 }
            #expect(!first.isEmpty)
            #expect(first.filter { !$0.text.hasPrefix("-- ") }.isEmpty)
        }
    }

    @Test func thePackageIgnoresWhatIsBuilt() throws {
        let ignored = try String(contentsOf: Self.root.appending(path: ".gitignore"), encoding: .utf8)
        #expect(ignored.contains(".build/"))
        #expect(ignored.contains("Package.resolved"))
    }
}
