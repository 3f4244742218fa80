-- Uploads: sessions whose chunks arrive one by one and become one file.
-- oldest: 1

CREATE TABLE reconciled.uploads (
    -- Byte order ("C"), as for orders.
    id text COLLATE "C" NOT NULL
        CONSTRAINT uploads_pkey PRIMARY KEY
        CONSTRAINT uploads_id_check CHECK (char_length(id) BETWEEN 1 AND 255),
    store text COLLATE "C" NOT NULL
        CONSTRAINT uploads_store_check CHECK (char_length(store) BETWEEN 1 AND 255),
    -- Bytes, not characters: S3 allows a key of 1024, and the index on it has a limit too.
    name text COLLATE "C" NOT NULL
        CONSTRAINT uploads_name_check CHECK (octet_length(name) BETWEEN 1 AND 1024),
    total_bytes bigint NOT NULL
        CONSTRAINT uploads_total_bytes_check CHECK (total_bytes >= 0),
    chunk_bytes bigint NOT NULL
        CONSTRAINT uploads_chunk_bytes_check CHECK (chunk_bytes > 0),
    chunk_count integer NOT NULL
        CONSTRAINT uploads_chunk_count_check CHECK (chunk_count BETWEEN 0 AND 1000000),
    sha256 text
        CONSTRAINT uploads_sha256_check CHECK (sha256 ~ '^[0-9a-f]{64}$'),
    status text NOT NULL DEFAULT 'receiving'
        CONSTRAINT uploads_status_check CHECK (status IN ('receiving', 'merging', 'complete', 'expired', 'review')),
    received_chunks integer NOT NULL DEFAULT 0
        CONSTRAINT uploads_received_chunks_check CHECK (received_chunks >= 0),
    -- NULL: nobody has looked yet; empty: nothing is missing.
    missing text,
    merged_bytes bigint NOT NULL DEFAULT 0
        CONSTRAINT uploads_merged_bytes_check CHECK (merged_bytes >= 0),
    last_activity_at timestamptz,
    expires_at timestamptz,
    s3_upload_id text
        CONSTRAINT uploads_s3_upload_id_check CHECK (char_length(s3_upload_id) >= 1),
    location text,
    etag text,
    reclaimed_at timestamptz,
    reclaimed_bytes bigint NOT NULL DEFAULT 0
        CONSTRAINT uploads_reclaimed_bytes_check CHECK (reclaimed_bytes >= 0),
    review_reason text,
    review_detail jsonb,
    metadata jsonb NOT NULL DEFAULT '{}',

    -- The schedule columns, the same for every watch. The application may set next_check_at at any time.
    next_check_at timestamptz DEFAULT now() + interval '5 seconds',
    check_count integer NOT NULL DEFAULT 0,
    failure_count integer NOT NULL DEFAULT 0,
    claim_count integer NOT NULL DEFAULT 0,
    lease_token bigint,
    lease_expires_at timestamptz,
    leased_by text,
    progress jsonb,
    last_checked_at timestamptz,
    last_verdict text,
    last_error text,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),

    -- All chunks are of chunk_bytes but for the last, which takes the rest: less than a chunk, or up to twice one. An
    -- empty file is no chunk, or one without a byte. numeric, because the product may exceed a bigint.
    CONSTRAINT uploads_plan_check CHECK (
        CASE
            WHEN total_bytes = 0 THEN chunk_count <= 1
            ELSE chunk_count > 0
                AND (chunk_count::numeric - 1) * chunk_bytes < total_bytes
                AND (chunk_count::numeric + 1) * chunk_bytes > total_bytes
        END
    )
) WITH (
    -- For the reasons that stand at orders: claims stay HOT, and dead rows go early.
    fillfactor = 50,
    autovacuum_vacuum_scale_factor = 0.01,
    autovacuum_vacuum_threshold = 1000,
    autovacuum_analyze_scale_factor = 0.05,
    autovacuum_vacuum_cost_delay = 0
);

-- Due rows of a lane, oldest first; id is the tiebreak, so that a poller's lower bound is one exact place.
CREATE INDEX uploads_due_idx ON reconciled.uploads (store, next_check_at, id) WHERE next_check_at IS NOT NULL;

-- Two sessions never write one target; once a session's chunks are gone its name is free for the next.
CREATE UNIQUE INDEX uploads_name_key ON reconciled.uploads (store, name) WHERE reclaimed_at IS NULL;

-- Sessions that wait for nobody; there should be none. For the auditor.
CREATE INDEX uploads_adrift_idx ON reconciled.uploads (id)
    WHERE status IN ('receiving', 'merging') AND next_check_at IS NULL;

-- The queue for humans.
CREATE INDEX uploads_review_idx ON reconciled.uploads (review_reason, id) WHERE review_reason IS NOT NULL;

-- As notify_due, for a lane's column of any name: the arguments are the watch and the column.
CREATE FUNCTION reconciled.notify_due_lane() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = pg_catalog
AS $$
DECLARE
    lane text;
BEGIN
    EXECUTE format('SELECT ($1).%I', TG_ARGV[1]) INTO lane USING NEW;
    PERFORM pg_notify('reconciled', TG_ARGV[0] || ':' || lane);
    RETURN NULL;
END
$$;

CREATE TRIGGER uploads_due_notify
    AFTER INSERT OR UPDATE OF next_check_at ON reconciled.uploads
    FOR EACH ROW
    WHEN (NEW.next_check_at <= now() + interval '2 seconds'
        AND current_setting('application_name') NOT LIKE 'reconciled/%')
    EXECUTE FUNCTION reconciled.notify_due_lane('uploads', 'store');
