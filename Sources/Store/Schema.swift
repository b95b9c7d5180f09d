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
}
