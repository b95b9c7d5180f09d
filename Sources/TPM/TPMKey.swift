public import Bytes
import CTSS2

/// A key in a TPM. A transient one is flushed when the value dies; a persistent one stays.
public struct TPMKey: ~Copyable {
    private let connection: Connection
    private let handle: UInt32
    private let isTransient: Bool

    /// TPMT_PUBLIC.
    public let publicArea: [UInt8]
    /// The name that the TPM says it has: a hash algorithm, then the digest of ``publicArea``.
    public let name: [UInt8]

    private init(_ connection: Connection, _ handle: UInt32, isTransient: Bool) throws(TPMError) {
        let context = unsafe connection.context
        let area: [UInt8]
        let name: [UInt8]
        do throws(TPMError) {
            (area, name) = try unsafe connection.pair { area, areaCount, name, nameCount in
                unsafe bootgate_tpm_read_public(
                    context, handle, area, &areaCount, name, &nameCount)
            }
        } catch {
            Self.release(connection, handle, isTransient)
            throw error
        }
        self.connection = connection
        self.handle = handle
        self.isTransient = isTransient
        self.publicArea = area
        self.name = name
    }

    deinit {
        Self.release(connection, handle, isTransient)
    }

    private static func release(_ connection: Connection, _ handle: UInt32, _ isTransient: Bool) {
        var handle = handle
        if isTransient {
            _ = unsafe bootgate_tpm_flush(connection.context, &handle)
        } else {
            unsafe bootgate_tpm_forget(connection.context, &handle)
        }
    }

    init(on tpm: borrowing TPM, template: TPMTemplate) throws(TPMError) {
        let bytes = template.bytes
        var handle: UInt32 = 0
        try tpm.connection.check(
            unsafe bootgate_tpm_create_primary(
                tpm.connection.context, bytes, bytes.count, &handle))
        try self.init(tpm.connection, handle, isTransient: true)
    }

    init(on tpm: borrowing TPM, persistent: UInt32) throws(TPMError) {
        var handle: UInt32 = 0
        try tpm.connection.check(
            unsafe bootgate_tpm_find(tpm.connection.context, persistent, &handle))
        try self.init(tpm.connection, handle, isTransient: false)
    }

    /// TPM2_Quote over `extraData` (50 bytes at most, as some TPMs take no more) and the registers of
    /// `indices` in each of `banks`, in that order: TPMS_ATTEST and TPMT_SIGNATURE.
    public borrowing func quote(
        over extraData: [UInt8], _ indices: [Int], banks: [HashAlgorithm]
    ) throws(TPMError) -> (attest: [UInt8], signature: [UInt8]) {
        let mask = TPM.mask(indices)
        let identifiers = banks.map(\.tpmIdentifier)
        let context = unsafe connection.context
        let handle = handle
        return try unsafe connection.pair { attest, attestCount, signature, signatureCount in
            unsafe bootgate_tpm_quote(
                context, handle, extraData, extraData.count, identifiers, identifiers.count, mask,
                attest, &attestCount, signature, &signatureCount)
        }
    }

    /// TPM2_MakeCredential: only a TPM that holds this key's private part *and* an object of `name`
    /// will give `secret` (32 bytes at most) back. Anybody can make one; it needs no private part.
    public borrowing func makeCredential(
        _ secret: [UInt8], for name: [UInt8]
    ) throws(TPMError) -> TPMCredential {
        let context = unsafe connection.context
        let handle = handle
        let (blob, seed) = try unsafe connection.pair { blob, blobCount, seed, seedCount in
            unsafe bootgate_tpm_make_credential(
                context, handle, secret, secret.count, name, name.count, blob, &blobCount, seed,
                &seedCount)
        }
        return TPMCredential(idObject: blob, encryptedSecret: seed)
    }

    /// TPM2_ActivateCredential: proves that this key and `endorsementKey` are in one TPM.
    public borrowing func activate(
        _ credential: TPMCredential, by endorsementKey: borrowing TPMKey
    ) throws(TPMError) -> [UInt8] {
        let context = unsafe connection.context
        let handle = handle
        let endorsement = endorsementKey.handle
        return try unsafe connection.bytes(capacity: 64) { start, count in
            unsafe bootgate_tpm_activate_credential(
                context, handle, endorsement, credential.idObject, credential.idObject.count,
                credential.encryptedSecret, credential.encryptedSecret.count, start, &count)
        }
    }
}

/// A secret that only the TPM with the right two keys can read.
public struct TPMCredential: Equatable, Sendable {
    /// TPM2B_ID_OBJECT.
    public let idObject: [UInt8]
    /// TPM2B_ENCRYPTED_SECRET.
    public let encryptedSecret: [UInt8]

    /// Takes both as they came.
    public init(idObject: [UInt8], encryptedSecret: [UInt8]) {
        self.idObject = idObject
        self.encryptedSecret = encryptedSecret
    }
}

extension TPM {
    /// A primary key of the endorsement hierarchy: the same template makes the same key until the
    /// TPM's endorsement seed changes.
    public borrowing func makeKey(_ template: TPMTemplate) throws(TPMError) -> TPMKey {
        try TPMKey(on: self, template: template)
    }

    /// A key that is in the TPM already, such as 0x81000003.
    public borrowing func key(persistent handle: UInt32) throws(TPMError) -> TPMKey {
        try TPMKey(on: self, persistent: handle)
    }
}

extension Connection {
    /// The two results that `fill` writes, each of 2048 bytes at most.
    func pair(
        _ fill: (
            UnsafeMutablePointer<UInt8>, inout Int, UnsafeMutablePointer<UInt8>, inout Int
        ) -> UInt32
    ) throws(TPMError) -> ([UInt8], [UInt8]) {
        let capacity = 2048
        var first = [UInt8](repeating: 0, count: capacity)
        var second = first
        var counts = (capacity, capacity)
        let code = unsafe first.withUnsafeMutableBufferPointer { one -> UInt32 in
            unsafe second.withUnsafeMutableBufferPointer { two -> UInt32 in
                guard let start = one.baseAddress, let other = two.baseAddress else { return 0 }
                return unsafe fill(start, &counts.0, other, &counts.1)
            }
        }
        try check(code)
        return (Array(first.prefix(counts.0)), Array(second.prefix(counts.1)))
    }
}
