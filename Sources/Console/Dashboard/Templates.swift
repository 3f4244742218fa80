import Crypto
import Foundation
import Mustache

/// What a template is filled with.
typealias Model = [String: Any]

/// The dashboard's templates, and the files that its pages name.
///
/// A file's address changes with its content, so that browsers may keep it for ever and never use an old one.
struct Templates: Sendable {
    struct Asset: Sendable {
        var text: String
        var type: String
        var path: String
    }

    private let library: MustacheLibrary
    /// By file name.
    let assets: [String: Asset]

    /// Reads what the program was built with; traps if a template cannot be read, which a test would have shown.
    init() {
        var library = MustacheLibrary()
        var assets: [String: Asset] = [:]
        for (name, text) in EmbeddedAssets.assets {
            let parts = name.split(separator: ".")
            switch parts.last {
            case "mustache":
                do {
                    try library.register(text, named: String(parts[0]))
                } catch {
                    preconditionFailure("the template \(name) cannot be read: \(error)")
                }
            default:
                let digest = SHA256.hash(data: Array(text.utf8)).prefix(6).map { String($0, radix: 16) }.joined()
                assets[name] = Asset(
                    text: text, type: Self.types[String(parts.last ?? "")] ?? "text/plain; charset=utf-8",
                    path: "/assets/\(name)?\(digest)")
            }
        }
        self.library = library
        self.assets = assets
    }

    private static let types = [
        "css": "text/css; charset=utf-8", "js": "text/javascript; charset=utf-8", "svg": "image/svg+xml",
    ]

    /// The page's text. Every value is escaped, but for the charts, which are made of numbers and our own words.
    func render(_ name: String, _ model: Model) -> String {
        var model = model
        model["assets"] = [
            "css": assets["dashboard.css"]?.path ?? "", "script": assets["dashboard.js"]?.path ?? "",
            "icon": assets["icon.svg"]?.path ?? "",
        ]
        guard let text = library.render(model, withTemplate: name) else { preconditionFailure("no template \(name)") }
        return text
    }
}

extension Model {
    /// Nothing for nil: a section that asks for it is left out.
    mutating func set(_ key: String, _ value: Any?) {
        if let value { self[key] = value }
    }

    func with(_ key: String, _ value: Any?) -> Model {
        var model = self
        model.set(key, value)
        return model
    }
}
