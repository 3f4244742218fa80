import Glibc

/// The user that the server runs as: ourselves, or where we are root (whom PostgreSQL refuses) `postgres`, else `nobody`.
struct ServerAccount: Sendable {
    let name: String
    private let user: uid_t
    private let group: gid_t
    private let isOther: Bool

    static func current() throws -> ServerAccount {
        guard geteuid() == 0 else {
            return ServerAccount(name: "", user: geteuid(), group: getegid(), isOther: false)
        }
        for name in ["postgres", "nobody"] {
            guard let entry = unsafe getpwnam(name) else { continue }
            return unsafe ServerAccount(
                name: name, user: entry.pointee.pw_uid, group: entry.pointee.pw_gid, isOther: true)
        }
        throw CommandFailure("PostgreSQL does not run as root, and there is neither a user postgres nor nobody")
    }

    /// The words that run a program as this user.
    func command(_ words: [String]) -> [String] {
        guard isOther else { return words }
        return ["setpriv", "--reuid=\(user)", "--regid=\(group)", "--clear-groups"] + words
    }

    /// Gives a directory of ours to the user.
    func own(_ path: String) throws {
        guard isOther else { return }
        guard unsafe chown(path, user, group) == 0 else { throw CommandFailure("\(path) cannot be given to \(name)") }
    }

    func canEnter(_ path: String) -> Bool {
        guard isOther else { return unsafe access(path, R_OK | W_OK | X_OK) == 0 }
        // As root every question about access would be answered yes; the other user has to ask.
        let test = try? ChildProcess(command(["/bin/sh", "-c", "cd \"$1\"", "sh", path]))
        return test?.wait() == 0
    }
}
