-- Made by `manage.py make_tenant_template` from a migrated schema. Do not edit.
CREATE SCHEMA __tenant__;
CREATE TABLE __tenant__.agents_agent (
    "id" uuid NOT NULL,
    "public_id" character varying(40) NOT NULL,
    "name" character varying(60) NOT NULL,
    "tone" character varying(16) NOT NULL,
    "instructions" text NOT NULL,
    "greeting" character varying(300) NOT NULL,
    "suggestions" jsonb NOT NULL,
    "language" character varying(8) NOT NULL,
    "model" character varying(80) NOT NULL,
    "evidence_threshold" double precision NOT NULL,
    "allowed_origins" jsonb NOT NULL,
    "identity_secret" text NOT NULL,
    "contact_email" character varying(254) NOT NULL,
    "handoff_enabled" boolean NOT NULL,
    "leads_enabled" boolean NOT NULL,
    "colour" character varying(7) NOT NULL,
    "position" character varying(8) NOT NULL,
    "avatar" character varying(100) NOT NULL,
    "is_active" boolean NOT NULL,
    "version" integer NOT NULL,
    "created_at" timestamp with time zone NOT NULL,
    "updated_at" timestamp with time zone NOT NULL,
    "attachments_enabled" boolean NOT NULL,
    "branding" boolean NOT NULL,
    "hours" jsonb,
    "lead_form" jsonb NOT NULL,
    "look" jsonb NOT NULL,
    "privacy_enabled" boolean NOT NULL,
    "privacy_url" character varying(500) NOT NULL,
    "proactive" jsonb NOT NULL,
    "rating_enabled" boolean NOT NULL,
    "retired_secret" text NOT NULL,
    "retired_secret_until" timestamp with time zone,
    "secret_shown_at" timestamp with time zone,
    "seen_at" timestamp with time zone,
    "seen_origin" character varying(200) NOT NULL,
    "sound_enabled" boolean NOT NULL,
    "strings" jsonb NOT NULL,
    "transcript_enabled" boolean NOT NULL,
    "cache_enabled" boolean NOT NULL,
    "cache_similarity" double precision NOT NULL,
    "daily_budget_micro_usd" bigint,
    "link_hosts" jsonb NOT NULL,
    "monthly_budget_micro_usd" bigint,
    "knowledge_languages" character varying(16) NOT NULL,
    "knowledge_profile" character varying(40) NOT NULL,
    "change_gate" character varying(8) NOT NULL,
    "unsupported_claims" character varying(8) NOT NULL,
    "judge" character varying(8) NOT NULL
);
CREATE TABLE __tenant__.agents_modelsettings (
    "id" smallint NOT NULL,
    "daily_budget_micro_usd" bigint,
    "monthly_budget_micro_usd" bigint,
    "conversation_budget_micro_usd" bigint,
    "masks_contacts" boolean NOT NULL,
    "keys" jsonb NOT NULL,
    "alerts" jsonb NOT NULL,
    "background_enabled" boolean NOT NULL
);
CREATE TABLE __tenant__.chat_attachment (
    "id" uuid NOT NULL,
    "visitor_id" uuid,
    "name" character varying(120) NOT NULL,
    "media_type" character varying(40) NOT NULL,
    "size" integer NOT NULL,
    "file" character varying(200) NOT NULL,
    "created_at" timestamp with time zone NOT NULL,
    "agent_id" uuid NOT NULL,
    "conversation_id" uuid,
    "message_id" uuid
);
CREATE TABLE __tenant__.chat_cachedanswer (
    "id" uuid NOT NULL,
    "key" character varying(64) NOT NULL,
    "question" text NOT NULL,
    "language" character varying(16) NOT NULL,
    "audience" character varying(64) NOT NULL,
    "agent_version" integer NOT NULL,
    "knowledge_version" character varying(80) NOT NULL,
    "profile" character varying(40) NOT NULL,
    "embedding" extensions.halfvec NOT NULL,
    "text" text NOT NULL,
    "citations" jsonb NOT NULL,
    "chunks" uuid[] NOT NULL,
    "evidence" double precision,
    "model" character varying(80) NOT NULL,
    "cost_micro_usd" bigint NOT NULL,
    "took_ms" integer NOT NULL,
    "hits" integer NOT NULL,
    "saved_ms" bigint NOT NULL,
    "state" character varying(8) NOT NULL,
    "created_at" timestamp with time zone NOT NULL,
    "expires_at" timestamp with time zone NOT NULL,
    "last_hit_at" timestamp with time zone,
    "agent_id" uuid NOT NULL,
    "message_id" uuid NOT NULL
);
CREATE TABLE __tenant__.chat_conversation (
    "id" uuid NOT NULL,
    "channel" character varying(8) NOT NULL,
    "state" character varying(8) NOT NULL,
    "owner" character varying(8) NOT NULL,
    "version" integer NOT NULL,
    "assignee" uuid,
    "last_seq" bigint NOT NULL,
    "title" character varying(200) NOT NULL,
    "page_url" character varying(2000) NOT NULL,
    "page_title" character varying(300) NOT NULL,
    "referrer" character varying(2000) NOT NULL,
    "locale" character varying(16) NOT NULL,
    "context" jsonb NOT NULL,
    "handoff_reason" character varying(500) NOT NULL,
    "rating" smallint,
    "rating_comment" character varying(1000) NOT NULL,
    "created_at" timestamp with time zone NOT NULL,
    "last_message_at" timestamp with time zone NOT NULL,
    "closed_at" timestamp with time zone,
    "agent_id" uuid NOT NULL,
    "visitor_id" uuid NOT NULL,
    "resolved" boolean,
    "team_read_seq" bigint NOT NULL,
    "visitor_read_seq" bigint NOT NULL,
    "digest_model" character varying(80) NOT NULL,
    "digest_tries" smallint NOT NULL,
    "digest_until" timestamp with time zone,
    "digested_at" timestamp with time zone,
    "summary" text NOT NULL,
    "topic" character varying(120) NOT NULL,
    "topic_is_own" boolean NOT NULL
);
CREATE TABLE __tenant__.chat_curatedanswer (
    "id" uuid NOT NULL,
    "answer" text NOT NULL,
    "link" character varying(2000) NOT NULL,
    "is_active" boolean NOT NULL,
    "hits" integer NOT NULL,
    "last_hit_at" timestamp with time zone,
    "created_by" uuid,
    "created_at" timestamp with time zone NOT NULL,
    "updated_at" timestamp with time zone NOT NULL,
    "agent_id" uuid NOT NULL,
    "message_id" uuid,
    "audience" character varying(40) NOT NULL
);
CREATE TABLE __tenant__.chat_curatedquestion (
    "id" uuid NOT NULL,
    "text" character varying(300) NOT NULL,
    "key" character varying(64) NOT NULL,
    "profile" character varying(40) NOT NULL,
    "embedding" extensions.halfvec,
    "agent_id" uuid NOT NULL,
    "answer_id" uuid NOT NULL,
    "audience" character varying(40) NOT NULL
);
CREATE TABLE __tenant__.chat_expectation (
    "id" uuid NOT NULL,
    "question" character varying(500) NOT NULL,
    "outcome" character varying(10) NOT NULL,
    "source" character varying(300) NOT NULL,
    "must" character varying(200)[] NOT NULL,
    "must_not" character varying(200)[] NOT NULL,
    "created_at" timestamp with time zone NOT NULL,
    "agent_id" uuid NOT NULL,
    "message_id" uuid,
    "facts" character varying(1000) NOT NULL,
    "audiences" character varying(40)[] NOT NULL
);
CREATE TABLE __tenant__.chat_gap (
    "id" uuid NOT NULL,
    "state" character varying(10) NOT NULL,
    "answers" uuid[] NOT NULL,
    "asked" integer NOT NULL,
    "disliked" integer NOT NULL,
    "profile" character varying(40) NOT NULL,
    "embedding" extensions.halfvec NOT NULL,
    "handled_by" uuid,
    "handled_at" timestamp with time zone,
    "first_at" timestamp with time zone NOT NULL,
    "last_at" timestamp with time zone NOT NULL,
    "agent_id" uuid NOT NULL
);
CREATE TABLE __tenant__.chat_lead (
    "id" uuid NOT NULL,
    "name" text NOT NULL,
    "email" text NOT NULL,
    "phone" text NOT NULL,
    "company" text NOT NULL,
    "extra" jsonb NOT NULL,
    "created_at" timestamp with time zone NOT NULL,
    "conversation_id" uuid,
    "score" smallint,
    "score_reason" text NOT NULL
);
CREATE TABLE __tenant__.chat_message (
    "id" uuid NOT NULL,
    "ordinal" integer NOT NULL,
    "seq" bigint,
    "author" character varying(8) NOT NULL,
    "author_id" uuid,
    "author_name" character varying(120) NOT NULL,
    "client_id" uuid,
    "text" text NOT NULL,
    "state" character varying(8) NOT NULL,
    "outcome" character varying(12) NOT NULL,
    "citations" jsonb NOT NULL,
    "grounded" boolean NOT NULL,
    "cached" boolean NOT NULL,
    "evidence" double precision,
    "stopped" character varying(8) NOT NULL,
    "feedback" smallint,
    "feedback_comment" character varying(1000) NOT NULL,
    "model" character varying(80) NOT NULL,
    "rung" character varying(16) NOT NULL,
    "input_tokens" integer NOT NULL,
    "output_tokens" integer NOT NULL,
    "cost_micro_usd" bigint NOT NULL,
    "usage_estimated" boolean NOT NULL,
    "first_token_ms" integer,
    "total_ms" integer,
    "receipt" jsonb NOT NULL,
    "reservation_id" uuid,
    "lease_until" timestamp with time zone,
    "writer" character varying(64) NOT NULL,
    "attempts" smallint NOT NULL,
    "version" integer NOT NULL,
    "created_at" timestamp with time zone NOT NULL,
    "completed_at" timestamp with time zone,
    "conversation_id" uuid NOT NULL,
    "reply_to_id" uuid,
    "price" jsonb NOT NULL
);
CREATE TABLE __tenant__.chat_spendingday (
    "id" uuid NOT NULL,
    "day" date NOT NULL,
    "is_test" boolean NOT NULL,
    "answers" integer NOT NULL,
    "cached" integer NOT NULL,
    "input_tokens" bigint NOT NULL,
    "output_tokens" bigint NOT NULL,
    "cost_micro_usd" bigint NOT NULL,
    "estimated_micro_usd" bigint NOT NULL,
    "saved_micro_usd" bigint NOT NULL,
    "saved_ms" bigint NOT NULL,
    "agent_id" uuid NOT NULL,
    "background_calls" integer DEFAULT 0 NOT NULL,
    "background_input_tokens" bigint DEFAULT 0 NOT NULL,
    "background_items" integer DEFAULT 0 NOT NULL,
    "background_micro_usd" bigint DEFAULT 0 NOT NULL,
    "background_output_tokens" bigint DEFAULT 0 NOT NULL
);
CREATE TABLE __tenant__.chat_trial (
    "id" uuid NOT NULL,
    "state" character varying(8) NOT NULL,
    "verdict" character varying(8) NOT NULL,
    "change" jsonb NOT NULL,
    "basis" jsonb NOT NULL,
    "results" jsonb NOT NULL,
    "total" integer NOT NULL,
    "passed" integer NOT NULL,
    "broken" integer NOT NULL,
    "created_by" uuid,
    "created_at" timestamp with time zone NOT NULL,
    "updated_at" timestamp with time zone NOT NULL,
    "agent_id" uuid NOT NULL,
    "judge" character varying(8) NOT NULL,
    "judgement" jsonb NOT NULL
);
CREATE TABLE __tenant__.chat_visitor (
    "id" uuid NOT NULL,
    "external_id" character varying(200) NOT NULL,
    "name" text NOT NULL,
    "email" text NOT NULL,
    "locale" character varying(16) NOT NULL,
    "created_at" timestamp with time zone NOT NULL
);
CREATE TABLE __tenant__.django_migrations (
    "id" bigint GENERATED BY DEFAULT AS IDENTITY NOT NULL,
    "app" character varying(255) NOT NULL,
    "name" character varying(255) NOT NULL,
    "applied" timestamp with time zone NOT NULL
);
CREATE TABLE __tenant__.knowledge_chunk (
    "id" uuid NOT NULL,
    "agent_id" uuid NOT NULL,
    "ordinal" integer NOT NULL,
    "heading_path" character varying(300)[] NOT NULL,
    "page" integer,
    "page_label" character varying(16) NOT NULL,
    "anchor" character varying(200) NOT NULL,
    "text" text NOT NULL,
    "spans" integer[] NOT NULL,
    "tokens" smallint NOT NULL,
    "content_hash" character varying(64) NOT NULL,
    "profile" character varying(40) NOT NULL,
    "embedding" extensions.halfvec(384) NOT NULL,
    "words" bytea NOT NULL,
    "lexical" extensions.sparsevec(1000000000) NOT NULL,
    "search" tsvector NOT NULL,
    "version_id" uuid
);
CREATE TABLE __tenant__.knowledge_document (
    "id" uuid NOT NULL,
    "title" character varying(300) NOT NULL,
    "url" character varying(2000) NOT NULL,
    "status" character varying(8) NOT NULL,
    "step" character varying(16) NOT NULL,
    "done" integer NOT NULL,
    "total" integer NOT NULL,
    "error_code" character varying(40) NOT NULL,
    "error" character varying(500) NOT NULL,
    "attempts" smallint NOT NULL,
    "lease_until" timestamp with time zone,
    "created_at" timestamp with time zone NOT NULL,
    "updated_at" timestamp with time zone NOT NULL,
    "source_id" uuid NOT NULL,
    "live_id" uuid,
    "checked_at" timestamp with time zone,
    "depth" smallint NOT NULL,
    "etag" character varying(300) NOT NULL,
    "fetch_due" boolean NOT NULL,
    "found_on" character varying(2000) NOT NULL,
    "good_at" timestamp with time zone,
    "key" character varying(2000) NOT NULL,
    "last_modified" character varying(100) NOT NULL,
    "misses" smallint NOT NULL,
    "pinned" boolean NOT NULL,
    "warning" character varying(500) NOT NULL,
    "warning_code" character varying(40) NOT NULL
);
CREATE TABLE __tenant__.knowledge_externallink (
    "url" character varying(2000) NOT NULL,
    "due_at" timestamp with time zone NOT NULL,
    "misses" smallint NOT NULL,
    "dead_since" timestamp with time zone
);
CREATE TABLE __tenant__.knowledge_finding (
    "id" uuid NOT NULL,
    "kind" character varying(16) NOT NULL,
    "key" character varying(64) NOT NULL,
    "state" character varying(12) NOT NULL,
    "sentence" character varying(500) NOT NULL,
    "detail" jsonb NOT NULL,
    "found_at" timestamp with time zone NOT NULL,
    "seen_at" timestamp with time zone NOT NULL,
    "document_id" uuid NOT NULL,
    "other_id" uuid
);
CREATE TABLE __tenant__.knowledge_source (
    "id" uuid NOT NULL,
    "kind" character varying(8) NOT NULL,
    "title" character varying(200) NOT NULL,
    "url" character varying(2000) NOT NULL,
    "added_by" uuid,
    "created_at" timestamp with time zone NOT NULL,
    "agent_id" uuid NOT NULL,
    "audience" character varying(40) NOT NULL,
    "found" jsonb NOT NULL,
    "hook" integer NOT NULL,
    "interval_hours" integer,
    "lease_until" timestamp with time zone,
    "next_sync_at" timestamp with time zone,
    "scope" jsonb NOT NULL,
    "sync_error" character varying(500) NOT NULL,
    "sync_started_at" timestamp with time zone,
    "sync_state" character varying(8) NOT NULL,
    "synced_at" timestamp with time zone,
    "audience_since" timestamp with time zone
);
CREATE TABLE __tenant__.knowledge_term (
    "lexeme" character varying(64) NOT NULL,
    "chunks" integer NOT NULL
);
CREATE TABLE __tenant__.knowledge_version (
    "id" uuid NOT NULL,
    "number" integer NOT NULL,
    "file" character varying(300) NOT NULL,
    "name" character varying(200) NOT NULL,
    "charset" character varying(40) NOT NULL,
    "content_type" character varying(100) NOT NULL,
    "size" bigint NOT NULL,
    "sha256" character varying(64) NOT NULL,
    "title" character varying(300) NOT NULL,
    "language" character varying(8) NOT NULL,
    "pages" integer NOT NULL,
    "characters" integer NOT NULL,
    "chunk_count" integer NOT NULL,
    "notes" jsonb NOT NULL,
    "created_at" timestamp with time zone NOT NULL,
    "valid_from" timestamp with time zone,
    "valid_to" timestamp with time zone,
    "document_id" uuid NOT NULL,
    "approved_by" uuid,
    "author" uuid,
    "draft" boolean NOT NULL,
    "findings" jsonb NOT NULL,
    "links" text[] NOT NULL,
    "remark" character varying(200) NOT NULL,
    "text_file" character varying(300) NOT NULL,
    "text_sha256" character varying(64) NOT NULL,
    "address" text NOT NULL,
    "external_links" text[] NOT NULL
);
ALTER TABLE __tenant__.knowledge_chunk ALTER COLUMN "embedding" SET STORAGE PLAIN;
ALTER TABLE __tenant__.agents_agent ADD CONSTRAINT "agents_agent_daily_budget_micro_usd_check" CHECK ((daily_budget_micro_usd >= 0));
ALTER TABLE __tenant__.agents_agent ADD CONSTRAINT "agents_agent_monthly_budget_micro_usd_check" CHECK ((monthly_budget_micro_usd >= 0));
ALTER TABLE __tenant__.agents_agent ADD CONSTRAINT "agents_agent_pkey" PRIMARY KEY (id);
ALTER TABLE __tenant__.agents_agent ADD CONSTRAINT "agents_agent_public_id_key" UNIQUE (public_id);
ALTER TABLE __tenant__.agents_agent ADD CONSTRAINT "agents_agent_version_check" CHECK ((version >= 0));
ALTER TABLE __tenant__.agents_modelsettings ADD CONSTRAINT "agents_modelsettings_conversation_budget_micro_usd_check" CHECK ((conversation_budget_micro_usd >= 0));
ALTER TABLE __tenant__.agents_modelsettings ADD CONSTRAINT "agents_modelsettings_daily_budget_micro_usd_check" CHECK ((daily_budget_micro_usd >= 0));
ALTER TABLE __tenant__.agents_modelsettings ADD CONSTRAINT "agents_modelsettings_id_check" CHECK ((id >= 0));
ALTER TABLE __tenant__.agents_modelsettings ADD CONSTRAINT "agents_modelsettings_monthly_budget_micro_usd_check" CHECK ((monthly_budget_micro_usd >= 0));
ALTER TABLE __tenant__.agents_modelsettings ADD CONSTRAINT "agents_modelsettings_pkey" PRIMARY KEY (id);
ALTER TABLE __tenant__.chat_attachment ADD CONSTRAINT "chat_attachment_pkey" PRIMARY KEY (id);
ALTER TABLE __tenant__.chat_attachment ADD CONSTRAINT "chat_attachment_size_check" CHECK ((size >= 0));
ALTER TABLE __tenant__.chat_cachedanswer ADD CONSTRAINT "cached_answer_once" UNIQUE (agent_id, key);
ALTER TABLE __tenant__.chat_cachedanswer ADD CONSTRAINT "chat_cachedanswer_agent_version_check" CHECK ((agent_version >= 0));
ALTER TABLE __tenant__.chat_cachedanswer ADD CONSTRAINT "chat_cachedanswer_cost_micro_usd_check" CHECK ((cost_micro_usd >= 0));
ALTER TABLE __tenant__.chat_cachedanswer ADD CONSTRAINT "chat_cachedanswer_hits_check" CHECK ((hits >= 0));
ALTER TABLE __tenant__.chat_cachedanswer ADD CONSTRAINT "chat_cachedanswer_pkey" PRIMARY KEY (id);
ALTER TABLE __tenant__.chat_cachedanswer ADD CONSTRAINT "chat_cachedanswer_saved_ms_check" CHECK ((saved_ms >= 0));
ALTER TABLE __tenant__.chat_cachedanswer ADD CONSTRAINT "chat_cachedanswer_took_ms_check" CHECK ((took_ms >= 0));
ALTER TABLE __tenant__.chat_conversation ADD CONSTRAINT "chat_conversation_digest_tries_check" CHECK ((digest_tries >= 0));
ALTER TABLE __tenant__.chat_conversation ADD CONSTRAINT "chat_conversation_last_seq_check" CHECK ((last_seq >= 0));
ALTER TABLE __tenant__.chat_conversation ADD CONSTRAINT "chat_conversation_pkey" PRIMARY KEY (id);
ALTER TABLE __tenant__.chat_conversation ADD CONSTRAINT "chat_conversation_rating_check" CHECK ((rating >= 0));
ALTER TABLE __tenant__.chat_conversation ADD CONSTRAINT "chat_conversation_team_read_seq_check" CHECK ((team_read_seq >= 0));
ALTER TABLE __tenant__.chat_conversation ADD CONSTRAINT "chat_conversation_version_check" CHECK ((version >= 0));
ALTER TABLE __tenant__.chat_conversation ADD CONSTRAINT "chat_conversation_visitor_read_seq_check" CHECK ((visitor_read_seq >= 0));
ALTER TABLE __tenant__.chat_curatedanswer ADD CONSTRAINT "chat_curatedanswer_hits_check" CHECK ((hits >= 0));
ALTER TABLE __tenant__.chat_curatedanswer ADD CONSTRAINT "chat_curatedanswer_pkey" PRIMARY KEY (id);
ALTER TABLE __tenant__.chat_curatedquestion ADD CONSTRAINT "chat_curatedquestion_pkey" PRIMARY KEY (id);
ALTER TABLE __tenant__.chat_curatedquestion ADD CONSTRAINT "curated_question_once_an_audience" UNIQUE (agent_id, audience, key);
ALTER TABLE __tenant__.chat_expectation ADD CONSTRAINT "chat_expectation_pkey" PRIMARY KEY (id);
ALTER TABLE __tenant__.chat_gap ADD CONSTRAINT "chat_gap_asked_check" CHECK ((asked >= 0));
ALTER TABLE __tenant__.chat_gap ADD CONSTRAINT "chat_gap_disliked_check" CHECK ((disliked >= 0));
ALTER TABLE __tenant__.chat_gap ADD CONSTRAINT "chat_gap_pkey" PRIMARY KEY (id);
ALTER TABLE __tenant__.chat_lead ADD CONSTRAINT "chat_lead_pkey" PRIMARY KEY (id);
ALTER TABLE __tenant__.chat_lead ADD CONSTRAINT "chat_lead_score_check" CHECK ((score >= 0));
ALTER TABLE __tenant__.chat_message ADD CONSTRAINT "chat_message_attempts_check" CHECK ((attempts >= 0));
ALTER TABLE __tenant__.chat_message ADD CONSTRAINT "chat_message_cost_micro_usd_check" CHECK ((cost_micro_usd >= 0));
ALTER TABLE __tenant__.chat_message ADD CONSTRAINT "chat_message_first_token_ms_check" CHECK ((first_token_ms >= 0));
ALTER TABLE __tenant__.chat_message ADD CONSTRAINT "chat_message_input_tokens_check" CHECK ((input_tokens >= 0));
ALTER TABLE __tenant__.chat_message ADD CONSTRAINT "chat_message_ordinal_check" CHECK ((ordinal >= 0));
ALTER TABLE __tenant__.chat_message ADD CONSTRAINT "chat_message_output_tokens_check" CHECK ((output_tokens >= 0));
ALTER TABLE __tenant__.chat_message ADD CONSTRAINT "chat_message_pkey" PRIMARY KEY (id);
ALTER TABLE __tenant__.chat_message ADD CONSTRAINT "chat_message_reply_to_id_key" UNIQUE (reply_to_id);
ALTER TABLE __tenant__.chat_message ADD CONSTRAINT "chat_message_seq_check" CHECK ((seq >= 0));
ALTER TABLE __tenant__.chat_message ADD CONSTRAINT "chat_message_total_ms_check" CHECK ((total_ms >= 0));
ALTER TABLE __tenant__.chat_message ADD CONSTRAINT "chat_message_version_check" CHECK ((version >= 0));
ALTER TABLE __tenant__.chat_message ADD CONSTRAINT "message_client_id_once" UNIQUE (conversation_id, client_id);
ALTER TABLE __tenant__.chat_message ADD CONSTRAINT "message_place_once" UNIQUE (conversation_id, ordinal);
ALTER TABLE __tenant__.chat_spendingday ADD CONSTRAINT "chat_spendingday_answers_check" CHECK ((answers >= 0));
ALTER TABLE __tenant__.chat_spendingday ADD CONSTRAINT "chat_spendingday_background_calls_check" CHECK ((background_calls >= 0));
ALTER TABLE __tenant__.chat_spendingday ADD CONSTRAINT "chat_spendingday_background_input_tokens_check" CHECK ((background_input_tokens >= 0));
ALTER TABLE __tenant__.chat_spendingday ADD CONSTRAINT "chat_spendingday_background_items_check" CHECK ((background_items >= 0));
ALTER TABLE __tenant__.chat_spendingday ADD CONSTRAINT "chat_spendingday_background_micro_usd_check" CHECK ((background_micro_usd >= 0));
ALTER TABLE __tenant__.chat_spendingday ADD CONSTRAINT "chat_spendingday_background_output_tokens_check" CHECK ((background_output_tokens >= 0));
ALTER TABLE __tenant__.chat_spendingday ADD CONSTRAINT "chat_spendingday_cached_check" CHECK ((cached >= 0));
ALTER TABLE __tenant__.chat_spendingday ADD CONSTRAINT "chat_spendingday_cost_micro_usd_check" CHECK ((cost_micro_usd >= 0));
ALTER TABLE __tenant__.chat_spendingday ADD CONSTRAINT "chat_spendingday_estimated_micro_usd_check" CHECK ((estimated_micro_usd >= 0));
ALTER TABLE __tenant__.chat_spendingday ADD CONSTRAINT "chat_spendingday_input_tokens_check" CHECK ((input_tokens >= 0));
ALTER TABLE __tenant__.chat_spendingday ADD CONSTRAINT "chat_spendingday_output_tokens_check" CHECK ((output_tokens >= 0));
ALTER TABLE __tenant__.chat_spendingday ADD CONSTRAINT "chat_spendingday_pkey" PRIMARY KEY (id);
ALTER TABLE __tenant__.chat_spendingday ADD CONSTRAINT "chat_spendingday_saved_micro_usd_check" CHECK ((saved_micro_usd >= 0));
ALTER TABLE __tenant__.chat_spendingday ADD CONSTRAINT "chat_spendingday_saved_ms_check" CHECK ((saved_ms >= 0));
ALTER TABLE __tenant__.chat_spendingday ADD CONSTRAINT "spending_day_once" UNIQUE (agent_id, day, is_test);
ALTER TABLE __tenant__.chat_trial ADD CONSTRAINT "chat_trial_broken_check" CHECK ((broken >= 0));
ALTER TABLE __tenant__.chat_trial ADD CONSTRAINT "chat_trial_passed_check" CHECK ((passed >= 0));
ALTER TABLE __tenant__.chat_trial ADD CONSTRAINT "chat_trial_pkey" PRIMARY KEY (id);
ALTER TABLE __tenant__.chat_trial ADD CONSTRAINT "chat_trial_total_check" CHECK ((total >= 0));
ALTER TABLE __tenant__.chat_visitor ADD CONSTRAINT "chat_visitor_pkey" PRIMARY KEY (id);
ALTER TABLE __tenant__.django_migrations ADD CONSTRAINT "django_migrations_pkey" PRIMARY KEY (id);
ALTER TABLE __tenant__.knowledge_chunk ADD CONSTRAINT "chunk_has_a_version" CHECK (((version_id IS NOT NULL) OR (agent_id = '00000000-0000-0000-0000-00000000ca7a'::uuid)));
ALTER TABLE __tenant__.knowledge_chunk ADD CONSTRAINT "chunk_place_once_a_profile" UNIQUE (version_id, ordinal, profile);
ALTER TABLE __tenant__.knowledge_chunk ADD CONSTRAINT "knowledge_chunk_ordinal_check" CHECK ((ordinal >= 0));
ALTER TABLE __tenant__.knowledge_chunk ADD CONSTRAINT "knowledge_chunk_page_check" CHECK ((page >= 0));
ALTER TABLE __tenant__.knowledge_chunk ADD CONSTRAINT "knowledge_chunk_pkey" PRIMARY KEY (id);
ALTER TABLE __tenant__.knowledge_chunk ADD CONSTRAINT "knowledge_chunk_tokens_check" CHECK ((tokens >= 0));
ALTER TABLE __tenant__.knowledge_document ADD CONSTRAINT "knowledge_document_attempts_check" CHECK ((attempts >= 0));
ALTER TABLE __tenant__.knowledge_document ADD CONSTRAINT "knowledge_document_depth_check" CHECK ((depth >= 0));
ALTER TABLE __tenant__.knowledge_document ADD CONSTRAINT "knowledge_document_done_check" CHECK ((done >= 0));
ALTER TABLE __tenant__.knowledge_document ADD CONSTRAINT "knowledge_document_live_id_key" UNIQUE (live_id);
ALTER TABLE __tenant__.knowledge_document ADD CONSTRAINT "knowledge_document_misses_check" CHECK ((misses >= 0));
ALTER TABLE __tenant__.knowledge_document ADD CONSTRAINT "knowledge_document_pkey" PRIMARY KEY (id);
ALTER TABLE __tenant__.knowledge_document ADD CONSTRAINT "knowledge_document_total_check" CHECK ((total >= 0));
ALTER TABLE __tenant__.knowledge_externallink ADD CONSTRAINT "knowledge_externallink_misses_check" CHECK ((misses >= 0));
ALTER TABLE __tenant__.knowledge_externallink ADD CONSTRAINT "knowledge_externallink_pkey" PRIMARY KEY (url);
ALTER TABLE __tenant__.knowledge_finding ADD CONSTRAINT "knowledge_finding_key_key" UNIQUE (key);
ALTER TABLE __tenant__.knowledge_finding ADD CONSTRAINT "knowledge_finding_pkey" PRIMARY KEY (id);
ALTER TABLE __tenant__.knowledge_source ADD CONSTRAINT "knowledge_source_hook_check" CHECK ((hook >= 0));
ALTER TABLE __tenant__.knowledge_source ADD CONSTRAINT "knowledge_source_interval_hours_check" CHECK ((interval_hours >= 0));
ALTER TABLE __tenant__.knowledge_source ADD CONSTRAINT "knowledge_source_pkey" PRIMARY KEY (id);
ALTER TABLE __tenant__.knowledge_term ADD CONSTRAINT "knowledge_term_pkey" PRIMARY KEY (lexeme);
ALTER TABLE __tenant__.knowledge_version ADD CONSTRAINT "knowledge_version_characters_check" CHECK ((characters >= 0));
ALTER TABLE __tenant__.knowledge_version ADD CONSTRAINT "knowledge_version_chunk_count_check" CHECK ((chunk_count >= 0));
ALTER TABLE __tenant__.knowledge_version ADD CONSTRAINT "knowledge_version_number_check" CHECK ((number >= 0));
ALTER TABLE __tenant__.knowledge_version ADD CONSTRAINT "knowledge_version_pages_check" CHECK ((pages >= 0));
ALTER TABLE __tenant__.knowledge_version ADD CONSTRAINT "knowledge_version_pkey" PRIMARY KEY (id);
ALTER TABLE __tenant__.knowledge_version ADD CONSTRAINT "knowledge_version_size_check" CHECK ((size >= 0));
ALTER TABLE __tenant__.knowledge_version ADD CONSTRAINT "version_number_once" UNIQUE (document_id, number);
ALTER TABLE __tenant__.chat_attachment ADD CONSTRAINT "chat_attachment_agent_id_d7d1e695_fk_agents_agent_id" FOREIGN KEY (agent_id) REFERENCES __tenant__.agents_agent(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE __tenant__.chat_attachment ADD CONSTRAINT "chat_attachment_conversation_id_842297a3_fk_chat_conv" FOREIGN KEY (conversation_id) REFERENCES __tenant__.chat_conversation(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE __tenant__.chat_attachment ADD CONSTRAINT "chat_attachment_message_id_bca6b8de_fk_chat_message_id" FOREIGN KEY (message_id) REFERENCES __tenant__.chat_message(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE __tenant__.chat_cachedanswer ADD CONSTRAINT "chat_cachedanswer_agent_id_0be3a16f_fk_agents_agent_id" FOREIGN KEY (agent_id) REFERENCES __tenant__.agents_agent(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE __tenant__.chat_cachedanswer ADD CONSTRAINT "chat_cachedanswer_message_id_cfdd9715_fk_chat_message_id" FOREIGN KEY (message_id) REFERENCES __tenant__.chat_message(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE __tenant__.chat_conversation ADD CONSTRAINT "chat_conversation_agent_id_3d443dd4_fk_agents_agent_id" FOREIGN KEY (agent_id) REFERENCES __tenant__.agents_agent(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE __tenant__.chat_conversation ADD CONSTRAINT "chat_conversation_visitor_id_dbc55574_fk_chat_visitor_id" FOREIGN KEY (visitor_id) REFERENCES __tenant__.chat_visitor(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE __tenant__.chat_curatedanswer ADD CONSTRAINT "chat_curatedanswer_agent_id_b620c8ec_fk_agents_agent_id" FOREIGN KEY (agent_id) REFERENCES __tenant__.agents_agent(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE __tenant__.chat_curatedanswer ADD CONSTRAINT "chat_curatedanswer_message_id_dbfedb13_fk_chat_message_id" FOREIGN KEY (message_id) REFERENCES __tenant__.chat_message(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE __tenant__.chat_curatedquestion ADD CONSTRAINT "chat_curatedquestion_agent_id_568d54bc_fk_agents_agent_id" FOREIGN KEY (agent_id) REFERENCES __tenant__.agents_agent(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE __tenant__.chat_curatedquestion ADD CONSTRAINT "chat_curatedquestion_answer_id_6860b29e_fk_chat_cura" FOREIGN KEY (answer_id) REFERENCES __tenant__.chat_curatedanswer(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE __tenant__.chat_expectation ADD CONSTRAINT "chat_expectation_agent_id_2b5435dc_fk_agents_agent_id" FOREIGN KEY (agent_id) REFERENCES __tenant__.agents_agent(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE __tenant__.chat_expectation ADD CONSTRAINT "chat_expectation_message_id_5b894dc0_fk_chat_message_id" FOREIGN KEY (message_id) REFERENCES __tenant__.chat_message(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE __tenant__.chat_gap ADD CONSTRAINT "chat_gap_agent_id_6bfd59af_fk_agents_agent_id" FOREIGN KEY (agent_id) REFERENCES __tenant__.agents_agent(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE __tenant__.chat_lead ADD CONSTRAINT "chat_lead_conversation_id_febbc7c4_fk_chat_conversation_id" FOREIGN KEY (conversation_id) REFERENCES __tenant__.chat_conversation(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE __tenant__.chat_message ADD CONSTRAINT "chat_message_conversation_id_a1207bf4_fk_chat_conversation_id" FOREIGN KEY (conversation_id) REFERENCES __tenant__.chat_conversation(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE __tenant__.chat_message ADD CONSTRAINT "chat_message_reply_to_id_afede338_fk_chat_message_id" FOREIGN KEY (reply_to_id) REFERENCES __tenant__.chat_message(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE __tenant__.chat_spendingday ADD CONSTRAINT "chat_spendingday_agent_id_95ed85ed_fk_agents_agent_id" FOREIGN KEY (agent_id) REFERENCES __tenant__.agents_agent(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE __tenant__.chat_trial ADD CONSTRAINT "chat_trial_agent_id_6fa0497d_fk_agents_agent_id" FOREIGN KEY (agent_id) REFERENCES __tenant__.agents_agent(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE __tenant__.knowledge_chunk ADD CONSTRAINT "knowledge_chunk_version_id_618a72ee_fk_knowledge_version_id" FOREIGN KEY (version_id) REFERENCES __tenant__.knowledge_version(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE __tenant__.knowledge_document ADD CONSTRAINT "knowledge_document_live_id_d1cf3285_fk_knowledge_version_id" FOREIGN KEY (live_id) REFERENCES __tenant__.knowledge_version(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE __tenant__.knowledge_document ADD CONSTRAINT "knowledge_document_source_id_0a1d3070_fk_knowledge_source_id" FOREIGN KEY (source_id) REFERENCES __tenant__.knowledge_source(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE __tenant__.knowledge_finding ADD CONSTRAINT "knowledge_finding_document_id_5d80ed8f_fk_knowledge_document_id" FOREIGN KEY (document_id) REFERENCES __tenant__.knowledge_document(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE __tenant__.knowledge_finding ADD CONSTRAINT "knowledge_finding_other_id_37e8af74_fk_knowledge_document_id" FOREIGN KEY (other_id) REFERENCES __tenant__.knowledge_document(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE __tenant__.knowledge_source ADD CONSTRAINT "knowledge_source_agent_id_e004c7cc_fk_agents_agent_id" FOREIGN KEY (agent_id) REFERENCES __tenant__.agents_agent(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE __tenant__.knowledge_version ADD CONSTRAINT "knowledge_version_document_id_b3288a98_fk_knowledge_document_id" FOREIGN KEY (document_id) REFERENCES __tenant__.knowledge_document(id) DEFERRABLE INITIALLY DEFERRED;
CREATE INDEX agents_agent_public_id_f8a90783_like ON __tenant__.agents_agent USING btree (public_id varchar_pattern_ops);
CREATE INDEX chat_attachment_agent_id_d7d1e695 ON __tenant__.chat_attachment USING btree (agent_id);
CREATE INDEX chat_attachment_conversation_id_842297a3 ON __tenant__.chat_attachment USING btree (conversation_id);
CREATE INDEX chat_attachment_message_id_bca6b8de ON __tenant__.chat_attachment USING btree (message_id);
CREATE INDEX chat_attachment_visitor_id_2cab058b ON __tenant__.chat_attachment USING btree (visitor_id);
CREATE INDEX chat_cachedanswer_agent_id_0be3a16f ON __tenant__.chat_cachedanswer USING btree (agent_id);
CREATE INDEX chat_cachedanswer_message_id_cfdd9715 ON __tenant__.chat_cachedanswer USING btree (message_id);
CREATE INDEX chat_conversation_agent_id_3d443dd4 ON __tenant__.chat_conversation USING btree (agent_id);
CREATE INDEX chat_conversation_last_message_at_58d0ac75 ON __tenant__.chat_conversation USING btree (last_message_at);
CREATE INDEX chat_conversation_state_7564e8c0 ON __tenant__.chat_conversation USING btree (state);
CREATE INDEX chat_conversation_state_7564e8c0_like ON __tenant__.chat_conversation USING btree (state varchar_pattern_ops);
CREATE INDEX chat_conversation_visitor_id_dbc55574 ON __tenant__.chat_conversation USING btree (visitor_id);
CREATE INDEX chat_curatedanswer_agent_id_b620c8ec ON __tenant__.chat_curatedanswer USING btree (agent_id);
CREATE INDEX chat_curatedanswer_message_id_dbfedb13 ON __tenant__.chat_curatedanswer USING btree (message_id);
CREATE INDEX chat_curatedquestion_agent_id_568d54bc ON __tenant__.chat_curatedquestion USING btree (agent_id);
CREATE INDEX chat_curatedquestion_answer_id_6860b29e ON __tenant__.chat_curatedquestion USING btree (answer_id);
CREATE INDEX chat_expectation_agent_id_2b5435dc ON __tenant__.chat_expectation USING btree (agent_id);
CREATE INDEX chat_expectation_message_id_5b894dc0 ON __tenant__.chat_expectation USING btree (message_id);
CREATE INDEX chat_gap_agent_id_6bfd59af ON __tenant__.chat_gap USING btree (agent_id);
CREATE INDEX chat_lead_conversation_id_febbc7c4 ON __tenant__.chat_lead USING btree (conversation_id);
CREATE INDEX chat_message_conversation_id_a1207bf4 ON __tenant__.chat_message USING btree (conversation_id);
CREATE INDEX chat_message_lease_until_f13fa0ea ON __tenant__.chat_message USING btree (lease_until);
CREATE INDEX chat_spendingday_agent_id_95ed85ed ON __tenant__.chat_spendingday USING btree (agent_id);
CREATE INDEX chat_trial_agent_id_6fa0497d ON __tenant__.chat_trial USING btree (agent_id);
CREATE INDEX chat_visitor_external_id_32823b97 ON __tenant__.chat_visitor USING btree (external_id);
CREATE INDEX chat_visitor_external_id_32823b97_like ON __tenant__.chat_visitor USING btree (external_id varchar_pattern_ops);
CREATE INDEX chunk_agent_profile ON __tenant__.knowledge_chunk USING btree (agent_id, profile);
CREATE INDEX chunk_embedding_hnsw ON __tenant__.knowledge_chunk USING hnsw (embedding extensions.halfvec_cosine_ops) WITH (m='16', ef_construction='400');
CREATE INDEX chunk_search_gin ON __tenant__.knowledge_chunk USING gin (search) WITH (fastupdate=off);
CREATE UNIQUE INDEX document_key_once ON __tenant__.knowledge_document USING btree (source_id, key) WHERE (NOT ((key)::text = ''::text));
CREATE INDEX knowledge_chunk_content_hash_3f7d915e ON __tenant__.knowledge_chunk USING btree (content_hash);
CREATE INDEX knowledge_chunk_content_hash_3f7d915e_like ON __tenant__.knowledge_chunk USING btree (content_hash varchar_pattern_ops);
CREATE INDEX knowledge_chunk_version_id_618a72ee ON __tenant__.knowledge_chunk USING btree (version_id);
CREATE INDEX knowledge_document_source_id_0a1d3070 ON __tenant__.knowledge_document USING btree (source_id);
CREATE INDEX knowledge_document_status_0359bf31 ON __tenant__.knowledge_document USING btree (status);
CREATE INDEX knowledge_document_status_0359bf31_like ON __tenant__.knowledge_document USING btree (status varchar_pattern_ops);
CREATE INDEX knowledge_externallink_due_at_b5ac84ef ON __tenant__.knowledge_externallink USING btree (due_at);
CREATE INDEX knowledge_externallink_url_31066a76_like ON __tenant__.knowledge_externallink USING btree (url varchar_pattern_ops);
CREATE INDEX knowledge_finding_document_id_5d80ed8f ON __tenant__.knowledge_finding USING btree (document_id);
CREATE INDEX knowledge_finding_key_bd1c1695_like ON __tenant__.knowledge_finding USING btree (key varchar_pattern_ops);
CREATE INDEX knowledge_finding_other_id_37e8af74 ON __tenant__.knowledge_finding USING btree (other_id);
CREATE INDEX knowledge_source_agent_id_e004c7cc ON __tenant__.knowledge_source USING btree (agent_id);
CREATE INDEX knowledge_source_next_sync_at_fc1b3c1e ON __tenant__.knowledge_source USING btree (next_sync_at);
CREATE INDEX knowledge_term_lexeme_049c87bf_like ON __tenant__.knowledge_term USING btree (lexeme varchar_pattern_ops);
CREATE INDEX knowledge_version_document_id_b3288a98 ON __tenant__.knowledge_version USING btree (document_id);
CREATE INDEX knowledge_version_text_sha256_08389a66 ON __tenant__.knowledge_version USING btree (text_sha256);
CREATE INDEX knowledge_version_text_sha256_08389a66_like ON __tenant__.knowledge_version USING btree (text_sha256 varchar_pattern_ops);
CREATE INDEX lead_by_email ON __tenant__.chat_lead USING btree (split_part(email, '.'::text, 3));
CREATE INDEX message_curated ON __tenant__.chat_message USING btree (created_at) WHERE ((rung)::text = 'curated'::text);
CREATE INDEX message_in_vain ON __tenant__.chat_message USING btree (created_at) WHERE (((outcome)::text = 'abstained'::text) OR (feedback = '-1'::integer));
CREATE INDEX visitor_by_email ON __tenant__.chat_visitor USING btree (split_part(email, '.'::text, 3));
INSERT INTO __tenant__.django_migrations (app, name, applied) VALUES ('admin', '0001_initial', now());
INSERT INTO __tenant__.django_migrations (app, name, applied) VALUES ('admin', '0002_logentry_remove_auto_add', now());
INSERT INTO __tenant__.django_migrations (app, name, applied) VALUES ('admin', '0003_logentry_add_action_flag_choices', now());
INSERT INTO __tenant__.django_migrations (app, name, applied) VALUES ('agents', '0001_initial', now());
INSERT INTO __tenant__.django_migrations (app, name, applied) VALUES ('agents', '0002_widget', now());
INSERT INTO __tenant__.django_migrations (app, name, applied) VALUES ('agents', '0003_cost', now());
INSERT INTO __tenant__.django_migrations (app, name, applied) VALUES ('agents', '0004_knowledge_languages', now());
INSERT INTO __tenant__.django_migrations (app, name, applied) VALUES ('agents', '0005_answers', now());
INSERT INTO __tenant__.django_migrations (app, name, applied) VALUES ('agents', '0006_sealed', now());
INSERT INTO __tenant__.django_migrations (app, name, applied) VALUES ('agents', '0007_background', now());
INSERT INTO __tenant__.django_migrations (app, name, applied) VALUES ('auth', '0001_initial', now());
INSERT INTO __tenant__.django_migrations (app, name, applied) VALUES ('auth', '0002_alter_permission_name_max_length', now());
INSERT INTO __tenant__.django_migrations (app, name, applied) VALUES ('auth', '0003_alter_user_email_max_length', now());
INSERT INTO __tenant__.django_migrations (app, name, applied) VALUES ('auth', '0004_alter_user_username_opts', now());
INSERT INTO __tenant__.django_migrations (app, name, applied) VALUES ('auth', '0005_alter_user_last_login_null', now());
INSERT INTO __tenant__.django_migrations (app, name, applied) VALUES ('auth', '0006_require_contenttypes_0002', now());
INSERT INTO __tenant__.django_migrations (app, name, applied) VALUES ('auth', '0007_alter_validators_add_error_messages', now());
INSERT INTO __tenant__.django_migrations (app, name, applied) VALUES ('auth', '0008_alter_user_username_max_length', now());
INSERT INTO __tenant__.django_migrations (app, name, applied) VALUES ('auth', '0009_alter_user_last_name_max_length', now());
INSERT INTO __tenant__.django_migrations (app, name, applied) VALUES ('auth', '0010_alter_group_name_max_length', now());
INSERT INTO __tenant__.django_migrations (app, name, applied) VALUES ('auth', '0011_update_proxy_permissions', now());
INSERT INTO __tenant__.django_migrations (app, name, applied) VALUES ('auth', '0012_alter_user_first_name_max_length', now());
INSERT INTO __tenant__.django_migrations (app, name, applied) VALUES ('billing', '0001_initial', now());
INSERT INTO __tenant__.django_migrations (app, name, applied) VALUES ('billing', '0002_row_level_security', now());
INSERT INTO __tenant__.django_migrations (app, name, applied) VALUES ('billing', '0003_rights', now());
INSERT INTO __tenant__.django_migrations (app, name, applied) VALUES ('billing', '0004_subscriptions', now());
INSERT INTO __tenant__.django_migrations (app, name, applied) VALUES ('billing', '0005_ledger', now());
INSERT INTO __tenant__.django_migrations (app, name, applied) VALUES ('billing', '0006_staff', now());
INSERT INTO __tenant__.django_migrations (app, name, applied) VALUES ('billing', '0007_overage_and_figures', now());
INSERT INTO __tenant__.django_migrations (app, name, applied) VALUES ('billing', '0008_plural', now());
INSERT INTO __tenant__.django_migrations (app, name, applied) VALUES ('billing', '0009_background', now());
INSERT INTO __tenant__.django_migrations (app, name, applied) VALUES ('billing', '0010_tenant_role', now());
INSERT INTO __tenant__.django_migrations (app, name, applied) VALUES ('billing', '0011_no_stripe_key', now());
INSERT INTO __tenant__.django_migrations (app, name, applied) VALUES ('chat', '0001_initial', now());
INSERT INTO __tenant__.django_migrations (app, name, applied) VALUES ('chat', '0002_visitor', now());
INSERT INTO __tenant__.django_migrations (app, name, applied) VALUES ('chat', '0003_cost', now());
INSERT INTO __tenant__.django_migrations (app, name, applied) VALUES ('chat', '0004_curated_answers', now());
INSERT INTO __tenant__.django_migrations (app, name, applied) VALUES ('chat', '0005_gaps', now());
INSERT INTO __tenant__.django_migrations (app, name, applied) VALUES ('chat', '0006_test_sets', now());
INSERT INTO __tenant__.django_migrations (app, name, applied) VALUES ('chat', '0007_sealed', now());
INSERT INTO __tenant__.django_migrations (app, name, applied) VALUES ('chat', '0008_privacy', now());
INSERT INTO __tenant__.django_migrations (app, name, applied) VALUES ('chat', '0009_background', now());
INSERT INTO __tenant__.django_migrations (app, name, applied) VALUES ('chat', '0010_audiences', now());
INSERT INTO __tenant__.django_migrations (app, name, applied) VALUES ('contenttypes', '0001_initial', now());
INSERT INTO __tenant__.django_migrations (app, name, applied) VALUES ('contenttypes', '0002_remove_content_type_name', now());
INSERT INTO __tenant__.django_migrations (app, name, applied) VALUES ('django_celery_beat', '0001_initial', now());
INSERT INTO __tenant__.django_migrations (app, name, applied) VALUES ('django_celery_beat', '0002_auto_20161118_0346', now());
INSERT INTO __tenant__.django_migrations (app, name, applied) VALUES ('django_celery_beat', '0003_auto_20161209_0049', now());
INSERT INTO __tenant__.django_migrations (app, name, applied) VALUES ('django_celery_beat', '0004_auto_20170221_0000', now());
INSERT INTO __tenant__.django_migrations (app, name, applied) VALUES ('django_celery_beat', '0005_add_solarschedule_events_choices', now());
INSERT INTO __tenant__.django_migrations (app, name, applied) VALUES ('django_celery_beat', '0006_auto_20180210_1226', now());
INSERT INTO __tenant__.django_migrations (app, name, applied) VALUES ('django_celery_beat', '0006_auto_20180322_0932', now());
INSERT INTO __tenant__.django_migrations (app, name, applied) VALUES ('django_celery_beat', '0006_periodictask_priority', now());
INSERT INTO __tenant__.django_migrations (app, name, applied) VALUES ('django_celery_beat', '0007_auto_20180521_0826', now());
INSERT INTO __tenant__.django_migrations (app, name, applied) VALUES ('django_celery_beat', '0008_auto_20180914_1922', now());
INSERT INTO __tenant__.django_migrations (app, name, applied) VALUES ('django_celery_beat', '0009_periodictask_headers', now());
INSERT INTO __tenant__.django_migrations (app, name, applied) VALUES ('django_celery_beat', '0010_auto_20190429_0326', now());
INSERT INTO __tenant__.django_migrations (app, name, applied) VALUES ('django_celery_beat', '0011_auto_20190508_0153', now());
INSERT INTO __tenant__.django_migrations (app, name, applied) VALUES ('django_celery_beat', '0012_periodictask_expire_seconds', now());
INSERT INTO __tenant__.django_migrations (app, name, applied) VALUES ('django_celery_beat', '0013_auto_20200609_0727', now());
INSERT INTO __tenant__.django_migrations (app, name, applied) VALUES ('django_celery_beat', '0014_remove_clockedschedule_enabled', now());
INSERT INTO __tenant__.django_migrations (app, name, applied) VALUES ('django_celery_beat', '0015_edit_solarschedule_events_choices', now());
INSERT INTO __tenant__.django_migrations (app, name, applied) VALUES ('django_celery_beat', '0016_alter_crontabschedule_timezone', now());
INSERT INTO __tenant__.django_migrations (app, name, applied) VALUES ('django_celery_beat', '0017_alter_crontabschedule_month_of_year', now());
INSERT INTO __tenant__.django_migrations (app, name, applied) VALUES ('django_celery_beat', '0018_improve_crontab_helptext', now());
INSERT INTO __tenant__.django_migrations (app, name, applied) VALUES ('django_celery_beat', '0019_alter_periodictasks_options', now());
INSERT INTO __tenant__.django_migrations (app, name, applied) VALUES ('djstripe', '0001_initial', now());
INSERT INTO __tenant__.django_migrations (app, name, applied) VALUES ('djstripe', '0002_initial', now());
INSERT INTO __tenant__.django_migrations (app, name, applied) VALUES ('knowledge', '0001_initial', now());
INSERT INTO __tenant__.django_migrations (app, name, applied) VALUES ('knowledge', '0002_profiles_and_audience', now());
INSERT INTO __tenant__.django_migrations (app, name, applied) VALUES ('knowledge', '0003_sources', now());
INSERT INTO __tenant__.django_migrations (app, name, applied) VALUES ('knowledge', '0004_canary', now());
INSERT INTO __tenant__.django_migrations (app, name, applied) VALUES ('knowledge', '0005_vectors_in_line', now());
INSERT INTO __tenant__.django_migrations (app, name, applied) VALUES ('knowledge', '0006_words_indexed_at_once', now());
INSERT INTO __tenant__.django_migrations (app, name, applied) VALUES ('knowledge', '0007_audience_since', now());
INSERT INTO __tenant__.django_migrations (app, name, applied) VALUES ('knowledge', '0008_small_agents', now());
INSERT INTO __tenant__.django_migrations (app, name, applied) VALUES ('knowledge', '0009_staged', now());
INSERT INTO __tenant__.django_migrations (app, name, applied) VALUES ('knowledge', '0010_closer_graph', now());
INSERT INTO __tenant__.django_migrations (app, name, applied) VALUES ('knowledge', '0011_version_address', now());
INSERT INTO __tenant__.django_migrations (app, name, applied) VALUES ('knowledge', '0012_external_links', now());
INSERT INTO __tenant__.django_migrations (app, name, applied) VALUES ('knowledge', '0013_denser_graph', now());
INSERT INTO __tenant__.django_migrations (app, name, applied) VALUES ('otp_totp', '0001_initial', now());
INSERT INTO __tenant__.django_migrations (app, name, applied) VALUES ('otp_totp', '0002_auto_20190420_0723', now());
INSERT INTO __tenant__.django_migrations (app, name, applied) VALUES ('otp_totp', '0003_add_timestamps', now());
INSERT INTO __tenant__.django_migrations (app, name, applied) VALUES ('sessions', '0001_initial', now());
INSERT INTO __tenant__.django_migrations (app, name, applied) VALUES ('tenants', '0001_initial', now());
INSERT INTO __tenant__.django_migrations (app, name, applied) VALUES ('tenants', '0002_row_level_security', now());
INSERT INTO __tenant__.django_migrations (app, name, applied) VALUES ('tenants', '0003_session', now());
INSERT INTO __tenant__.django_migrations (app, name, applied) VALUES ('tenants', '0004_face', now());
INSERT INTO __tenant__.django_migrations (app, name, applied) VALUES ('tenants', '0005_trial', now());
INSERT INTO __tenant__.django_migrations (app, name, applied) VALUES ('tenants', '0006_access', now());
INSERT INTO __tenant__.django_migrations (app, name, applied) VALUES ('tenants', '0007_sealed', now());
INSERT INTO __tenant__.django_migrations (app, name, applied) VALUES ('tenants', '0008_first_data_keys', now());
INSERT INTO __tenant__.django_migrations (app, name, applied) VALUES ('tenants', '0009_privacy', now());
INSERT INTO __tenant__.django_migrations (app, name, applied) VALUES ('tenants', '0010_addresses', now());
INSERT INTO __tenant__.django_migrations (app, name, applied) VALUES ('tenants', '0011_tenant_role', now());
INSERT INTO __tenant__.django_migrations (app, name, applied) VALUES ('tenants', '0012_passkeys', now());
GRANT USAGE ON SCHEMA __tenant__ TO netvexa_tenant;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA __tenant__ TO netvexa_tenant;
GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA __tenant__ TO netvexa_tenant;
ALTER DEFAULT PRIVILEGES IN SCHEMA __tenant__ GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO netvexa_tenant;
ALTER DEFAULT PRIVILEGES IN SCHEMA __tenant__ GRANT USAGE, SELECT ON SEQUENCES TO netvexa_tenant;
