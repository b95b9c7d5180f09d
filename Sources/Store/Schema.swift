import GRDB

/// The tables, as steps from one version to the next; a step that was released is never edited.
enum Schema {
    static var migrator: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("1: VMs, policies, ledger") { database in
            try database.execute(sql: version1)
        }
        migrator.registerMigration("2: class and anchor of launches") { database in
            try database.execute(sql: version2)
        }
        migrator.registerMigration("3: runtime") { database in
            try database.execute(sql: version3)
        }
        return migrator
    }

    /// STRICT, so that SQLite itself refuses a value of another type. `report_ids` has REPORT_ID alone
    /// as its key: one start of one guest gets one disk, whatever VM it says it is.
    private static let version1 = """
        CREATE TABLE remembered (
            name TEXT NOT NULL PRIMARY KEY,
            value BLOB NOT NULL
        ) STRICT;
        CREATE TABLE policies (
            name TEXT NOT NULL PRIMARY KEY,
            identity BLOB NOT NULL CHECK (length(identity) = 32),
            toml TEXT NOT NULL,
            created INTEGER NOT NULL
        ) STRICT;
        CREATE TABLE vms (
            id TEXT NOT NULL PRIMARY KEY,
            state TEXT NOT NULL CHECK (state IN ('enabled', 'disabled')),
            disabled_reason TEXT,
            policy TEXT NOT NULL REFERENCES policies (name),
            config_digest BLOB NOT NULL CHECK (length(config_digest) = 32),
            gate_conf TEXT NOT NULL,
            luks_uuid TEXT NOT NULL,
            key_name TEXT NOT NULL,
            keyslot INTEGER NOT NULL CHECK (keyslot BETWEEN 0 AND 31),
            header_digest BLOB NOT NULL CHECK (length(header_digest) = 32),
            volume_key_check BLOB NOT NULL CHECK (length(volume_key_check) = 32),
            key_version INTEGER NOT NULL CHECK (key_version > 0),
            sealed_key BLOB NOT NULL,
            sealed_proof_key BLOB NOT NULL,
            created INTEGER NOT NULL,
            updated INTEGER NOT NULL
        ) STRICT;
        CREATE INDEX vms_by_policy ON vms (policy);
        CREATE TABLE key_versions (
            vm TEXT NOT NULL PRIMARY KEY,
            version INTEGER NOT NULL
        ) STRICT;
        CREATE TABLE launches (
            number INTEGER PRIMARY KEY AUTOINCREMENT,
            launch_id BLOB NOT NULL UNIQUE CHECK (length(launch_id) = 16),
            vm TEXT NOT NULL,
            time INTEGER NOT NULL,
            peer TEXT NOT NULL,
            platform TEXT,
            decision TEXT NOT NULL CHECK (decision IN ('released', 'refused', 'held')),
            refused_checks TEXT NOT NULL,
            took_microseconds INTEGER NOT NULL,
            policy TEXT,
            policy_identity BLOB,
            report_id BLOB,
            chip_id BLOB,
            measurement BLOB,
            binding BLOB NOT NULL CHECK (length(binding) = 64),
            findings TEXT NOT NULL,
            outcome TEXT NOT NULL CHECK (outcome IN ('none', 'open', 'unlocked', 'failed')),
            failure TEXT,
            failure_detail TEXT,
            outcome_time INTEGER
        ) STRICT;
        CREATE INDEX launches_by_vm ON launches (vm, number);
        CREATE TABLE report_ids (
            report_id BLOB NOT NULL PRIMARY KEY CHECK (length(report_id) = 32),
            vm TEXT NOT NULL,
            first_released INTEGER NOT NULL,
            unlocked INTEGER NOT NULL CHECK (unlocked IN (0, 1))
        ) STRICT, WITHOUT ROWID;
        """

    private static let version2 = """
        ALTER TABLE launches ADD COLUMN launch_class TEXT;
        ALTER TABLE launches ADD COLUMN anchor TEXT;
        """

    /// `reports` and `events` are ledger and outlive their VM; `runtime` and `snapshots` do not. Reports look
    /// a launch up by its REPORT_ID, and only proved ones.
    private static let version3 = """
        CREATE TABLE runtime (
            vm TEXT NOT NULL PRIMARY KEY REFERENCES vms (id) ON DELETE CASCADE,
            state TEXT NOT NULL CHECK (state IN ('never verified', 'trusted', 'failed')),
            last_report INTEGER,
            last_time INTEGER,
            failed_checks TEXT NOT NULL,
            signer BLOB CHECK (length(signer) = 32),
            boot_report_id TEXT,
            boot_resets INTEGER,
            boot_restarts INTEGER,
            window_opened INTEGER,
            window_expires INTEGER,
            window_reason TEXT,
            ticket_created INTEGER,
            ticket_expires INTEGER,
            ticket_reason TEXT
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE snapshots (
            number INTEGER PRIMARY KEY AUTOINCREMENT,
            vm TEXT NOT NULL REFERENCES vms (id) ON DELETE CASCADE,
            digest TEXT NOT NULL CHECK (length(digest) = 64),
            size INTEGER NOT NULL,
            files INTEGER NOT NULL,
            registered INTEGER NOT NULL,
            signer TEXT,
            UNIQUE (vm, digest)
        ) STRICT;
        CREATE TABLE reports (
            number INTEGER PRIMARY KEY AUTOINCREMENT,
            vm TEXT NOT NULL,
            time INTEGER NOT NULL,
            peer TEXT NOT NULL,
            platform TEXT,
            verdict TEXT NOT NULL
                CHECK (verdict IN ('trusted', 'failed', 'not verified', 'refused')),
            refused_checks TEXT NOT NULL,
            took_microseconds INTEGER NOT NULL,
            policy_identity BLOB,
            report_id TEXT,
            resets INTEGER,
            restarts INTEGER,
            snapshot TEXT,
            entries INTEGER,
            quoted_entries INTEGER,
            findings TEXT NOT NULL,
            problems TEXT NOT NULL
        ) STRICT;
        CREATE INDEX reports_by_vm ON reports (vm, number);
        CREATE TABLE events (
            number INTEGER PRIMARY KEY AUTOINCREMENT,
            vm TEXT NOT NULL,
            time INTEGER NOT NULL,
            kind TEXT NOT NULL,
            detail TEXT NOT NULL
        ) STRICT;
        CREATE INDEX events_by_vm ON events (vm, number);
        CREATE INDEX proved_launches ON launches (report_id) WHERE outcome = 'unlocked';
        CREATE INDEX proved_launches_by_vm ON launches (vm, number) WHERE outcome = 'unlocked';
        """
}
