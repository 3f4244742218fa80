import NIOCore

/// An IPv4 or IPv6 address, in network order.
package struct IPAddress: Hashable, Sendable {
    /// Four or sixteen.
    let bytes: [UInt8]

    /// Nil if the text is not an address in its canonical dotted or colon form.
    package init?(_ text: String) {
        guard let address = try? SocketAddress(ipAddress: text, port: 0) else { return nil }
        self.init(address)
    }

    /// Nil for a socket that is not of the Internet.
    init?(_ address: SocketAddress) {
        switch address {
        case .v4(let address):
            var value = address.address.sin_addr.s_addr
            bytes = unsafe withUnsafeBytes(of: &value) { unsafe Array($0) }
        case .v6(let address):
            var value = address.address.sin6_addr
            bytes = unsafe withUnsafeBytes(of: &value) { unsafe Array($0) }
        case .unixDomainSocket: return nil
        }
    }

    /// Whether the address belongs to the public Internet: neither this machine, nor a private network, nor a link (where
    /// clouds keep their instances' credentials), nor something special.
    ///
    /// Source: the IANA IPv4 and IPv6 Special-Purpose Address Registries.
    package var isPublic: Bool { bytes.count == 4 ? Self.isPublicV4(bytes[...]) : isPublicV6 }

    private static func isPublicV4(_ bytes: ArraySlice<UInt8>) -> Bool {
        let (a, b, c) = (bytes[bytes.startIndex], bytes[bytes.startIndex + 1], bytes[bytes.startIndex + 2])
        switch a {
        case 0, 10, 127, 224...255: return false
        case 100: return !(64...127).contains(b)
        case 169: return b != 254
        case 172: return !(16...31).contains(b)
        case 192: return !(b == 168 || (b == 0 && (c == 0 || c == 2)) || (b == 88 && c == 99))
        case 198: return !(b == 18 || b == 19 || (b == 51 && c == 100))
        case 203: return !(b == 0 && c == 113)
        default: return true
        }
    }

    private var isPublicV6: Bool {
        // Addresses that carry one of IPv4 are what that one is: mapped, and translated by NAT64.
        if bytes.starts(with: [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF])
            || bytes.starts(with: [0, 0x64, 0xFF, 0x9B, 0, 0, 0, 0, 0, 0, 0, 0])
        {
            return Self.isPublicV4(bytes[12...])
        }
        // 6to4.
        if bytes.starts(with: [0x20, 0x02]) { return Self.isPublicV4(bytes[2..<6]) }
        // Protocol assignments (Teredo among them) and documentation.
        if bytes.starts(with: [0x20, 0x01]), bytes[2] < 2 || (bytes[2] == 0x0D && bytes[3] == 0xB8) { return false }
        if bytes.starts(with: [0x3F, 0xFF]), bytes[2] < 0x10 { return false }
        // Global unicast; everything else is local, a group, or not assigned.
        return (0x20...0x3F).contains(bytes[0])
    }
}
