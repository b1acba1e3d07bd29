CREATE TABLE alarm_delivery (
	id VARCHAR NOT NULL,
	body VARCHAR NOT NULL,
	received_at DATETIME NOT NULL,
	taken_at DATETIME,
	CONSTRAINT pk_alarm_delivery PRIMARY KEY (id)
);
CREATE INDEX alarm_delivery_waiting ON alarm_delivery (taken_at, received_at);
CREATE TABLE alarm_state (
	name VARCHAR NOT NULL,
	tenant_uid VARCHAR NOT NULL,
	identifier VARCHAR NOT NULL,
	rule VARCHAR NOT NULL,
	state VARCHAR NOT NULL,
	reason VARCHAR NOT NULL,
	since DATETIME NOT NULL,
	CONSTRAINT pk_alarm_state PRIMARY KEY (name)
);
CREATE INDEX alarm_state_tenant ON alarm_state (tenant_uid);
CREATE TABLE approval (
	seq INTEGER NOT NULL,
	operation_id VARCHAR NOT NULL,
	meaning VARCHAR NOT NULL,
	actor VARCHAR NOT NULL,
	decision VARCHAR NOT NULL,
	reason VARCHAR NOT NULL,
	voided VARCHAR NOT NULL,
	at DATETIME NOT NULL,
	CONSTRAINT pk_approval PRIMARY KEY (seq)
);
CREATE INDEX ix_approval_operation_id ON approval (operation_id);
CREATE TABLE artifact (
	run_id VARCHAR NOT NULL,
	name VARCHAR NOT NULL,
	key_id VARCHAR NOT NULL,
	wrapped BLOB NOT NULL,
	sealed BLOB NOT NULL,
	sha256 VARCHAR NOT NULL,
	created_at FLOAT NOT NULL,
	CONSTRAINT pk_artifact PRIMARY KEY (run_id, name)
);
CREATE TABLE audit_entry (
	seq INTEGER NOT NULL,
	at DATETIME NOT NULL,
	actor VARCHAR NOT NULL,
	action VARCHAR NOT NULL,
	subject VARCHAR NOT NULL,
	reason VARCHAR NOT NULL,
	request_id VARCHAR NOT NULL,
	origin VARCHAR NOT NULL,
	"before" JSON NOT NULL,
	"after" JSON NOT NULL,
	previous VARCHAR NOT NULL,
	digest VARCHAR NOT NULL,
	CONSTRAINT pk_audit_entry PRIMARY KEY (seq),
	CONSTRAINT uq_audit_entry_digest UNIQUE (digest)
);
CREATE INDEX audit_entry_actor ON audit_entry (actor, seq);
CREATE INDEX audit_entry_subject ON audit_entry (subject, seq);
CREATE TABLE bill_day (
	day DATE NOT NULL,
	tenant VARCHAR NOT NULL,
	service VARCHAR NOT NULL,
	usd BIGINT NOT NULL,
	estimated BOOLEAN NOT NULL,
	CONSTRAINT pk_bill_day PRIMARY KEY (day, tenant, service)
);
CREATE TABLE bill_query (
	asked_on DATE NOT NULL,
	begins DATE NOT NULL,
	ends DATE NOT NULL,
	requests INTEGER NOT NULL,
	cost_usd BIGINT,
	asked_by VARCHAR NOT NULL,
	asked_at DATETIME NOT NULL,
	CONSTRAINT pk_bill_query PRIMARY KEY (asked_on)
);
CREATE TABLE budget (
	scope VARCHAR NOT NULL,
	monthly_usd BIGINT NOT NULL,
	set_by VARCHAR NOT NULL,
	reason VARCHAR NOT NULL,
	set_at DATETIME NOT NULL,
	CONSTRAINT pk_budget PRIMARY KEY (scope)
);
CREATE TABLE change_window (
	id VARCHAR NOT NULL,
	name VARCHAR NOT NULL,
	effect VARCHAR NOT NULL,
	cron VARCHAR NOT NULL,
	minutes INTEGER NOT NULL,
	zone VARCHAR NOT NULL,
	selector VARCHAR NOT NULL,
	created_by VARCHAR NOT NULL,
	created_at DATETIME NOT NULL,
	CONSTRAINT pk_change_window PRIMARY KEY (id)
);
CREATE TABLE cost_day (
	day DATE NOT NULL,
	tenant_uid VARCHAR NOT NULL,
	slug VARCHAR NOT NULL,
	stage VARCHAR NOT NULL,
	size VARCHAR NOT NULL,
	region VARCHAR NOT NULL,
	multi_az BOOLEAN NOT NULL,
	databases INTEGER NOT NULL,
	tenants INTEGER NOT NULL,
	monthly_usd BIGINT,
	shared_usd BIGINT,
	book VARCHAR NOT NULL,
	CONSTRAINT pk_cost_day PRIMARY KEY (day, tenant_uid)
);
CREATE INDEX cost_day_tenant ON cost_day (tenant_uid, day);
CREATE TABLE drift_finding (
	id VARCHAR NOT NULL,
	tenant_uid VARCHAR NOT NULL,
	slug VARCHAR NOT NULL,
	identifier VARCHAR NOT NULL,
	attribute VARCHAR NOT NULL,
	severity VARCHAR NOT NULL,
	situation VARCHAR NOT NULL,
	expected VARCHAR NOT NULL,
	found VARCHAR NOT NULL,
	words VARCHAR NOT NULL,
	next_step VARCHAR NOT NULL,
	status VARCHAR NOT NULL,
	operation_id VARCHAR,
	first_seen_at DATETIME NOT NULL,
	last_seen_at DATETIME NOT NULL,
	decided_by VARCHAR NOT NULL,
	decided_at DATETIME,
	decision_reason VARCHAR NOT NULL,
	CONSTRAINT pk_drift_finding PRIMARY KEY (id)
);
CREATE UNIQUE INDEX drift_one_live ON drift_finding (identifier, attribute) WHERE status IN ('open','proposed');
CREATE INDEX drift_status ON drift_finding (status, id);
CREATE TABLE host_comment (
	id VARCHAR NOT NULL,
	review_id VARCHAR NOT NULL,
	login VARCHAR NOT NULL,
	word VARCHAR NOT NULL,
	at DATETIME NOT NULL,
	answer VARCHAR NOT NULL,
	answered_at DATETIME,
	CONSTRAINT pk_host_comment PRIMARY KEY (id)
);
CREATE INDEX host_comment_review ON host_comment (review_id);
CREATE TABLE host_delivery (
	id VARCHAR NOT NULL,
	event VARCHAR NOT NULL,
	received_at DATETIME NOT NULL,
	looked_at DATETIME,
	CONSTRAINT pk_host_delivery PRIMARY KEY (id)
);
CREATE INDEX host_delivery_new ON host_delivery (looked_at, received_at);
CREATE TABLE idempotency_key (
	actor VARCHAR NOT NULL,
	"key" VARCHAR NOT NULL,
	fingerprint VARCHAR NOT NULL,
	status_code INTEGER NOT NULL,
	answer JSON NOT NULL,
	headers JSON NOT NULL,
	created_at DATETIME NOT NULL,
	CONSTRAINT pk_idempotency_key PRIMARY KEY (actor, "key")
);
CREATE TABLE operation_event (
	seq INTEGER NOT NULL,
	operation_id VARCHAR NOT NULL,
	at DATETIME NOT NULL,
	type VARCHAR NOT NULL,
	step VARCHAR NOT NULL,
	text VARCHAR NOT NULL,
	data JSON NOT NULL,
	CONSTRAINT pk_operation_event PRIMARY KEY (seq)
);
CREATE INDEX operation_event_operation ON operation_event (operation_id, seq);
CREATE TABLE outbox_event (
	id VARCHAR NOT NULL,
	type VARCHAR NOT NULL,
	subject VARCHAR NOT NULL,
	tenant_slug VARCHAR NOT NULL,
	at DATETIME NOT NULL,
	data JSON NOT NULL,
	dispatched BOOLEAN NOT NULL,
	CONSTRAINT pk_outbox_event PRIMARY KEY (id)
);
CREATE INDEX outbox_event_at ON outbox_event (at);
CREATE INDEX outbox_event_waiting ON outbox_event (dispatched, at);
CREATE TABLE person (
	id VARCHAR NOT NULL,
	name VARCHAR NOT NULL,
	role VARCHAR NOT NULL,
	tenants JSON NOT NULL,
	created_at DATETIME NOT NULL,
	CONSTRAINT pk_person PRIMARY KEY (id),
	CONSTRAINT uq_person_name UNIQUE (name)
);
CREATE TABLE "plan" (
	id VARCHAR NOT NULL,
	operation_id VARCHAR NOT NULL,
	run_id VARCHAR NOT NULL,
	meaning VARCHAR NOT NULL,
	binding VARCHAR NOT NULL,
	render_digest VARCHAR NOT NULL,
	summary JSON NOT NULL,
	changes JSON NOT NULL,
	consumed_by VARCHAR,
	consumed_at DATETIME,
	created_at DATETIME NOT NULL,
	CONSTRAINT pk_plan PRIMARY KEY (id)
);
CREATE INDEX ix_plan_operation_id ON "plan" (operation_id);
CREATE TABLE planned_look (
	tenant_uid VARCHAR NOT NULL,
	planned_at DATETIME NOT NULL,
	found INTEGER NOT NULL,
	CONSTRAINT pk_planned_look PRIMARY KEY (tenant_uid)
);
CREATE TABLE platform (
	workspace_id VARCHAR NOT NULL,
	blueprint VARCHAR NOT NULL,
	environment VARCHAR NOT NULL,
	cell VARCHAR NOT NULL,
	region VARCHAR NOT NULL,
	phase VARCHAR NOT NULL,
	outputs JSON NOT NULL,
	outputs_version INTEGER NOT NULL,
	template_version VARCHAR NOT NULL,
	options JSON NOT NULL,
	updated_at DATETIME NOT NULL,
	CONSTRAINT pk_platform PRIMARY KEY (workspace_id),
	CONSTRAINT uq_platform_blueprint_environment_cell UNIQUE (blueprint, environment, cell)
);
CREATE TABLE policy_override (
	id VARCHAR NOT NULL,
	rule VARCHAR NOT NULL,
	tenant_uid VARCHAR,
	person VARCHAR NOT NULL,
	reason VARCHAR NOT NULL,
	expires_at DATETIME NOT NULL,
	created_at DATETIME NOT NULL,
	CONSTRAINT pk_policy_override PRIMARY KEY (id)
);
CREATE TABLE quota_limit (
	region VARCHAR NOT NULL,
	cell VARCHAR NOT NULL,
	name VARCHAR NOT NULL,
	granted INTEGER NOT NULL,
	used INTEGER,
	seen_at DATETIME NOT NULL,
	CONSTRAINT pk_quota_limit PRIMARY KEY (region, cell, name)
);
CREATE TABLE recommendation (
	id VARCHAR NOT NULL,
	tenant_uid VARCHAR NOT NULL,
	slug VARCHAR NOT NULL,
	identifier VARCHAR NOT NULL,
	status VARCHAR NOT NULL,
	kind VARCHAR NOT NULL,
	finding VARCHAR NOT NULL,
	signature VARCHAR NOT NULL,
	reasons JSON NOT NULL,
	remarks JSON NOT NULL,
	urgent BOOLEAN NOT NULL,
	current_size VARCHAR NOT NULL,
	target_size VARCHAR NOT NULL,
	target_storage_gb INTEGER NOT NULL,
	monthly_before BIGINT,
	monthly_after BIGINT,
	delta_usd BIGINT,
	risk VARCHAR NOT NULL,
	risk_words VARCHAR NOT NULL,
	outage VARCHAR NOT NULL,
	revert VARCHAR NOT NULL,
	evidence JSON NOT NULL,
	operation_id VARCHAR,
	outcome VARCHAR NOT NULL,
	outcome_words VARCHAR NOT NULL,
	seen_count INTEGER NOT NULL,
	first_seen_at DATETIME NOT NULL,
	last_seen_at DATETIME NOT NULL,
	decided_by VARCHAR NOT NULL,
	decided_at DATETIME,
	decision_reason VARCHAR NOT NULL,
	looked_at DATETIME,
	CONSTRAINT pk_recommendation PRIMARY KEY (id)
);
CREATE UNIQUE INDEX recommendation_one_live ON recommendation (tenant_uid) WHERE status IN ('open','proposed');
CREATE INDEX recommendation_operation ON recommendation (operation_id);
CREATE INDEX recommendation_status ON recommendation (status, id);
CREATE TABLE review (
	id VARCHAR NOT NULL,
	status VARCHAR NOT NULL,
	kind VARCHAR NOT NULL,
	subject VARCHAR NOT NULL,
	tenant_slug VARCHAR NOT NULL,
	workspace_id VARCHAR NOT NULL,
	folder VARCHAR NOT NULL,
	operation_id VARCHAR,
	branch VARCHAR NOT NULL,
	source VARCHAR NOT NULL,
	head VARCHAR NOT NULL,
	base VARCHAR NOT NULL,
	desired VARCHAR NOT NULL,
	request JSON NOT NULL,
	meaning VARCHAR NOT NULL,
	render_digest VARCHAR NOT NULL,
	files JSON NOT NULL,
	discarded JSON NOT NULL,
	approvals JSON NOT NULL,
	problem VARCHAR NOT NULL,
	machine VARCHAR NOT NULL,
	evidence JSON NOT NULL,
	revert VARCHAR NOT NULL,
	requested_by VARCHAR NOT NULL,
	reason VARCHAR NOT NULL,
	page INTEGER NOT NULL,
	page_url VARCHAR NOT NULL,
	shown VARCHAR NOT NULL,
	heard_at DATETIME,
	merged_by VARCHAR NOT NULL,
	merged_commit VARCHAR NOT NULL,
	result_commit VARCHAR NOT NULL,
	created_at DATETIME NOT NULL,
	updated_at DATETIME NOT NULL,
	ended_at DATETIME,
	CONSTRAINT pk_review PRIMARY KEY (id)
);
CREATE INDEX review_operation ON review (operation_id);
CREATE INDEX review_status ON review (status, id);
CREATE TABLE run (
	id VARCHAR NOT NULL,
	operation_id VARCHAR NOT NULL,
	workspace_id VARCHAR NOT NULL,
	verb VARCHAR NOT NULL,
	status VARCHAR NOT NULL,
	host VARCHAR NOT NULL,
	pid INTEGER NOT NULL,
	supervisor VARCHAR NOT NULL,
	lease_until FLOAT NOT NULL,
	interrupt_requested VARCHAR NOT NULL,
	interrupted BOOLEAN NOT NULL,
	timed_out BOOLEAN NOT NULL,
	exit_code INTEGER,
	state_serial INTEGER,
	lock_id VARCHAR NOT NULL,
	details JSON NOT NULL,
	ordered_at FLOAT NOT NULL,
	started_at FLOAT NOT NULL,
	ended_at FLOAT NOT NULL,
	CONSTRAINT pk_run PRIMARY KEY (id)
);
CREATE INDEX ix_run_operation_id ON run (operation_id);
CREATE INDEX ix_run_workspace_id ON run (workspace_id);
CREATE TABLE run_line (
	run_id VARCHAR NOT NULL,
	number INTEGER NOT NULL,
	at FLOAT NOT NULL,
	stream VARCHAR NOT NULL,
	text VARCHAR NOT NULL,
	CONSTRAINT pk_run_line PRIMARY KEY (run_id, number)
);
CREATE TABLE scan (
	id VARCHAR NOT NULL,
	kind VARCHAR NOT NULL,
	started_by VARCHAR NOT NULL,
	looked_at INTEGER NOT NULL,
	found INTEGER NOT NULL,
	problems JSON NOT NULL,
	started_at DATETIME NOT NULL,
	ended_at DATETIME NOT NULL,
	CONSTRAINT pk_scan PRIMARY KEY (id)
);
CREATE INDEX scan_kind ON scan (kind, started_at);
CREATE TABLE schedule (
	name VARCHAR NOT NULL,
	cell VARCHAR NOT NULL,
	cron VARCHAR NOT NULL,
	zone VARCHAR NOT NULL,
	jitter_seconds INTEGER NOT NULL,
	enabled BOOLEAN NOT NULL,
	due_at DATETIME NOT NULL,
	holder VARCHAR NOT NULL,
	held_until DATETIME,
	last_started_at DATETIME,
	last_ended_at DATETIME,
	last_status VARCHAR NOT NULL,
	last_words VARCHAR NOT NULL,
	missed INTEGER NOT NULL,
	missed_in_all INTEGER NOT NULL,
	CONSTRAINT pk_schedule PRIMARY KEY (name, cell)
);
CREATE TABLE seen_database (
	identifier VARCHAR NOT NULL,
	resource_id VARCHAR NOT NULL,
	first_seen_at DATETIME NOT NULL,
	last_seen_at DATETIME NOT NULL,
	CONSTRAINT pk_seen_database PRIMARY KEY (identifier)
);
CREATE TABLE state_lock (
	workspace_id VARCHAR NOT NULL,
	lock_id VARCHAR NOT NULL,
	holder VARCHAR NOT NULL,
	info JSON NOT NULL,
	taken_at FLOAT NOT NULL,
	CONSTRAINT pk_state_lock PRIMARY KEY (workspace_id)
);
CREATE TABLE state_version (
	seq INTEGER NOT NULL,
	workspace_id VARCHAR NOT NULL,
	lineage VARCHAR NOT NULL,
	serial INTEGER NOT NULL,
	key_id VARCHAR NOT NULL,
	wrapped BLOB NOT NULL,
	sealed BLOB NOT NULL,
	sha256 VARCHAR NOT NULL,
	run_id VARCHAR NOT NULL,
	written_by VARCHAR NOT NULL,
	created_at FLOAT NOT NULL,
	published_at FLOAT,
	CONSTRAINT pk_state_version PRIMARY KEY (seq),
	CONSTRAINT uq_state_version_workspace_id_lineage_serial_sha256 UNIQUE (workspace_id, lineage, serial, sha256)
);
CREATE INDEX ix_state_version_workspace_id ON state_version (workspace_id);
CREATE TABLE suppression (
	tenant_uid VARCHAR NOT NULL,
	signature VARCHAR NOT NULL,
	until DATETIME NOT NULL,
	dismissals INTEGER NOT NULL,
	reason VARCHAR NOT NULL,
	created_by VARCHAR NOT NULL,
	CONSTRAINT pk_suppression PRIMARY KEY (tenant_uid, signature)
);
CREATE TABLE template (
	digest VARCHAR NOT NULL,
	blueprint VARCHAR NOT NULL,
	version VARCHAR NOT NULL,
	modules JSON NOT NULL,
	files JSON NOT NULL,
	kept_at DATETIME NOT NULL,
	CONSTRAINT pk_template PRIMARY KEY (digest)
);
CREATE INDEX template_blueprint ON template (blueprint, version);
CREATE TABLE tenant (
	uid VARCHAR NOT NULL,
	slug VARCHAR NOT NULL,
	display_name VARCHAR NOT NULL,
	stage VARCHAR NOT NULL,
	size VARCHAR NOT NULL,
	region VARCHAR NOT NULL,
	cell VARCHAR NOT NULL,
	blueprint VARCHAR NOT NULL,
	environment VARCHAR NOT NULL,
	storage_gb INTEGER NOT NULL,
	locations INTEGER NOT NULL,
	users INTEGER NOT NULL,
	paying BOOLEAN NOT NULL,
	sla BOOLEAN NOT NULL,
	sensitive BOOLEAN NOT NULL,
	rightsizing_decision VARCHAR NOT NULL,
	generation INTEGER NOT NULL,
	observed_generation INTEGER NOT NULL,
	phase VARCHAR NOT NULL,
	phase_reason VARCHAR NOT NULL,
	unverified BOOLEAN NOT NULL,
	migration_state VARCHAR NOT NULL,
	epoch INTEGER NOT NULL,
	endpoint VARCHAR NOT NULL,
	port INTEGER NOT NULL,
	cost_tier VARCHAR NOT NULL,
	monthly_usd BIGINT,
	template_version VARCHAR NOT NULL,
	template_digest VARCHAR NOT NULL,
	revision INTEGER NOT NULL,
	spec_commit VARCHAR NOT NULL,
	created_at DATETIME NOT NULL,
	updated_at DATETIME NOT NULL,
	ready_at DATETIME,
	torn_down_at DATETIME,
	expires_at DATETIME,
	CONSTRAINT pk_tenant PRIMARY KEY (uid),
	CONSTRAINT uq_tenant_slug UNIQUE (slug)
);
CREATE INDEX tenant_cost ON tenant (monthly_usd, slug);
CREATE INDEX tenant_created ON tenant (created_at, slug);
CREATE INDEX tenant_phase_created_at ON tenant (phase, created_at, slug);
CREATE INDEX tenant_phase_monthly_usd ON tenant (phase, monthly_usd, slug);
CREATE INDEX tenant_phase_slug ON tenant (phase, slug);
CREATE INDEX tenant_region_created_at ON tenant (region, created_at, slug);
CREATE INDEX tenant_region_monthly_usd ON tenant (region, monthly_usd, slug);
CREATE INDEX tenant_region_slug ON tenant (region, slug);
CREATE INDEX tenant_size_created_at ON tenant (size, created_at, slug);
CREATE INDEX tenant_size_monthly_usd ON tenant (size, monthly_usd, slug);
CREATE INDEX tenant_size_slug ON tenant (size, slug);
CREATE INDEX tenant_stage_created_at ON tenant (stage, created_at, slug);
CREATE INDEX tenant_stage_monthly_usd ON tenant (stage, monthly_usd, slug);
CREATE INDEX tenant_stage_slug ON tenant (stage, slug);
CREATE TABLE token (
	id VARCHAR NOT NULL,
	name VARCHAR NOT NULL,
	digest VARCHAR NOT NULL,
	role VARCHAR NOT NULL,
	tenants JSON NOT NULL,
	created_by VARCHAR NOT NULL,
	created_at DATETIME NOT NULL,
	expires_at DATETIME,
	revoked_at DATETIME,
	last_used_at DATETIME,
	CONSTRAINT pk_token PRIMARY KEY (id),
	CONSTRAINT uq_token_digest UNIQUE (digest)
);
CREATE TABLE wave (
	id VARCHAR NOT NULL,
	kind VARCHAR NOT NULL,
	status VARCHAR NOT NULL,
	selector VARCHAR NOT NULL,
	size INTEGER NOT NULL,
	canary INTEGER NOT NULL,
	abort_after_percent BIGINT,
	payload JSON NOT NULL,
	requested_by VARCHAR NOT NULL,
	reason VARCHAR NOT NULL,
	note VARCHAR NOT NULL,
	created_at DATETIME NOT NULL,
	ended_at DATETIME,
	CONSTRAINT pk_wave PRIMARY KEY (id)
);
CREATE TABLE webhook (
	id VARCHAR NOT NULL,
	form VARCHAR NOT NULL,
	host VARCHAR NOT NULL,
	events JSON NOT NULL,
	tenants JSON NOT NULL,
	note VARCHAR NOT NULL,
	gone VARCHAR NOT NULL,
	key_id VARCHAR NOT NULL,
	wrapped BLOB NOT NULL,
	sealed BLOB NOT NULL,
	created_by VARCHAR NOT NULL,
	created_at DATETIME NOT NULL,
	CONSTRAINT pk_webhook PRIMARY KEY (id)
);
CREATE TABLE worker_lease (
	executor_id VARCHAR NOT NULL,
	cell VARCHAR NOT NULL,
	host VARCHAR NOT NULL,
	pid INTEGER NOT NULL,
	lease_until FLOAT NOT NULL,
	started_at FLOAT NOT NULL,
	CONSTRAINT pk_worker_lease PRIMARY KEY (executor_id)
);
CREATE TABLE listener_rule (
	platform_id VARCHAR NOT NULL,
	priority INTEGER NOT NULL,
	tenant_uid VARCHAR NOT NULL,
	CONSTRAINT pk_listener_rule PRIMARY KEY (platform_id, priority),
	CONSTRAINT uq_listener_rule_tenant_uid_platform_id UNIQUE (tenant_uid, platform_id),
	CONSTRAINT fk_listener_rule_platform_id FOREIGN KEY(platform_id) REFERENCES platform (workspace_id),
	CONSTRAINT fk_listener_rule_tenant_uid FOREIGN KEY(tenant_uid) REFERENCES tenant (uid)
);
CREATE TABLE migration (
	id VARCHAR NOT NULL,
	tenant_uid VARCHAR NOT NULL,
	holder VARCHAR NOT NULL,
	strategy VARCHAR NOT NULL,
	state VARCHAR NOT NULL,
	flip VARCHAR NOT NULL,
	from_epoch INTEGER NOT NULL,
	to_epoch INTEGER NOT NULL,
	token VARCHAR NOT NULL,
	requested_by VARCHAR NOT NULL,
	outage_minutes INTEGER NOT NULL,
	fenced_epoch INTEGER,
	fenced_at DATETIME,
	fence_deadline DATETIME,
	"before" JSON NOT NULL,
	"after" JSON NOT NULL,
	timings JSON NOT NULL,
	checklist JSON NOT NULL,
	verification JSON NOT NULL,
	receipts JSON NOT NULL,
	way_back JSON NOT NULL,
	loss JSON NOT NULL,
	note VARCHAR NOT NULL,
	created_at DATETIME NOT NULL,
	flipped_at DATETIME,
	opened_at DATETIME,
	ended_at DATETIME,
	CONSTRAINT pk_migration PRIMARY KEY (id),
	CONSTRAINT fk_migration_tenant_uid FOREIGN KEY(tenant_uid) REFERENCES tenant (uid)
);
CREATE INDEX migration_fence ON migration (fence_deadline);
CREATE UNIQUE INDEX migration_one_open ON migration (tenant_uid) WHERE state NOT IN ('rolled_back','reversed','complete');
CREATE INDEX migration_tenant ON migration (tenant_uid, created_at);
CREATE TABLE operation (
	seq INTEGER NOT NULL,
	id VARCHAR NOT NULL,
	kind VARCHAR NOT NULL,
	workspace_id VARCHAR NOT NULL,
	tenant_uid VARCHAR,
	tenant_slug VARCHAR NOT NULL,
	status VARCHAR NOT NULL,
	leg VARCHAR NOT NULL,
	leg_state VARCHAR NOT NULL,
	leg_number INTEGER NOT NULL,
	round INTEGER NOT NULL,
	not_before DATETIME,
	stage VARCHAR NOT NULL,
	waiting_for VARCHAR NOT NULL,
	next_command VARCHAR NOT NULL,
	priority INTEGER NOT NULL,
	payload JSON NOT NULL,
	requested_by VARCHAR NOT NULL,
	reason VARCHAR NOT NULL,
	request_id VARCHAR NOT NULL,
	traceparent VARCHAR NOT NULL,
	wave_id VARCHAR,
	attempt INTEGER NOT NULL,
	cancel_requested VARCHAR NOT NULL,
	cancel_insist BOOLEAN NOT NULL,
	plan_id VARCHAR,
	cost_before BIGINT,
	cost_after BIGINT,
	policy JSON NOT NULL,
	response JSON NOT NULL,
	error JSON NOT NULL,
	outcome JSON NOT NULL,
	imports JSON NOT NULL,
	created_at DATETIME NOT NULL,
	started_at DATETIME,
	ended_at DATETIME,
	expires_at DATETIME,
	CONSTRAINT pk_operation PRIMARY KEY (seq),
	CONSTRAINT uq_operation_id UNIQUE (id),
	CONSTRAINT fk_operation_tenant_uid FOREIGN KEY(tenant_uid) REFERENCES tenant (uid)
);
CREATE INDEX ix_operation_wave_id ON operation (wave_id);
CREATE UNIQUE INDEX operation_one_active ON operation (workspace_id) WHERE status IN ('planning','awaiting_approval','awaiting_window','applying','verifying','needs_operator');
CREATE INDEX operation_ready ON operation (leg_state, priority, seq);
CREATE INDEX operation_status ON operation (status, seq);
CREATE INDEX operation_tenant ON operation (tenant_uid, seq);
CREATE INDEX operation_workspace ON operation (workspace_id, seq);
CREATE TABLE slot (
	tenant_uid VARCHAR NOT NULL,
	epoch INTEGER NOT NULL,
	identifier VARCHAR NOT NULL,
	size VARCHAR NOT NULL,
	storage_gb INTEGER NOT NULL,
	multi_az BOOLEAN NOT NULL,
	backup_days INTEGER NOT NULL,
	protected BOOLEAN NOT NULL,
	alarms BOOLEAN NOT NULL,
	credential_version INTEGER NOT NULL,
	credential_write BOOLEAN NOT NULL,
	adopted BOOLEAN NOT NULL,
	snapshot_identifier VARCHAR NOT NULL,
	backup_source VARCHAR NOT NULL,
	backup_time VARCHAR NOT NULL,
	resource_id VARCHAR NOT NULL,
	kms_key_id VARCHAR NOT NULL,
	engine_version VARCHAR NOT NULL,
	stage VARCHAR NOT NULL,
	environment VARCHAR NOT NULL,
	status VARCHAR NOT NULL,
	final_snapshot JSON NOT NULL,
	created_at DATETIME NOT NULL,
	CONSTRAINT pk_slot PRIMARY KEY (tenant_uid, epoch),
	CONSTRAINT fk_slot_tenant_uid FOREIGN KEY(tenant_uid) REFERENCES tenant (uid),
	CONSTRAINT uq_slot_identifier UNIQUE (identifier)
);
CREATE TABLE tenant_event (
	seq INTEGER NOT NULL,
	tenant_uid VARCHAR NOT NULL,
	at DATETIME NOT NULL,
	actor VARCHAR NOT NULL,
	operation_id VARCHAR,
	what VARCHAR NOT NULL,
	"before" JSON NOT NULL,
	"after" JSON NOT NULL,
	CONSTRAINT pk_tenant_event PRIMARY KEY (seq),
	CONSTRAINT fk_tenant_event_tenant_uid FOREIGN KEY(tenant_uid) REFERENCES tenant (uid)
);
CREATE INDEX tenant_event_tenant ON tenant_event (tenant_uid, seq);
CREATE TABLE tenant_label (
	tenant_uid VARCHAR NOT NULL,
	"key" VARCHAR NOT NULL,
	value VARCHAR NOT NULL,
	CONSTRAINT pk_tenant_label PRIMARY KEY (tenant_uid, "key"),
	CONSTRAINT fk_tenant_label_tenant_uid FOREIGN KEY(tenant_uid) REFERENCES tenant (uid)
);
CREATE INDEX tenant_label_key ON tenant_label ("key", value, tenant_uid);
CREATE TABLE wave_item (
	wave_id VARCHAR NOT NULL,
	position INTEGER NOT NULL,
	tenant_uid VARCHAR NOT NULL,
	tenant_slug VARCHAR NOT NULL,
	operation_id VARCHAR,
	status VARCHAR NOT NULL,
	detail VARCHAR NOT NULL,
	CONSTRAINT pk_wave_item PRIMARY KEY (wave_id, position),
	CONSTRAINT fk_wave_item_wave_id FOREIGN KEY(wave_id) REFERENCES wave (id)
);
CREATE INDEX ix_wave_item_operation_id ON wave_item (operation_id);
CREATE TABLE webhook_delivery (
	webhook_id VARCHAR NOT NULL,
	event_id VARCHAR NOT NULL,
	status VARCHAR NOT NULL,
	attempts INTEGER NOT NULL,
	next_at DATETIME NOT NULL,
	detail VARCHAR NOT NULL,
	delivered_at DATETIME,
	CONSTRAINT pk_webhook_delivery PRIMARY KEY (webhook_id, event_id),
	CONSTRAINT fk_webhook_delivery_webhook_id FOREIGN KEY(webhook_id) REFERENCES webhook (id),
	CONSTRAINT fk_webhook_delivery_event_id FOREIGN KEY(event_id) REFERENCES outbox_event (id)
);
CREATE INDEX ix_webhook_delivery_event_id ON webhook_delivery (event_id);
CREATE INDEX webhook_delivery_due ON webhook_delivery (status, next_at);
