// Calls all seven operations of the fake with the vendor's Node SDK, which reads the base URL and
// the admin key from the two environment variables that orgkeys-fake sets. See node-sdk.sh.
import assert from 'node:assert/strict';
import OpenAI from 'openai';

const { organization } = new OpenAI().admin;
const { apiKeys, serviceAccounts } = organization.projects;
const project_id = 'proj_abc';
const inAnHour = () => Math.floor(Date.now() / 1000) + 3600;
const about = (actual, expected) => assert.ok(Math.abs(actual - expected) < 60, `${actual} is not about ${expected}`);

const admin = await organization.adminAPIKeys.create({ name: 'ci', expires_in_seconds: 3600 });
assert.match(admin.value, /^sk-admin-/);
about(admin.expires_at, inAnHour());

const adminKeys = [];
for await (const key of organization.adminAPIKeys.list({ limit: 20, order: 'asc' })) adminKeys.push(key.id);
assert.equal(adminKeys.length, 2 + 45 + 1);
assert.equal(new Set(adminKeys).size, adminKeys.length);
assert.ok(adminKeys.includes(admin.id));

const account = await serviceAccounts.create(project_id, { name: 'prod', expires_in_seconds: 3600 });
assert.match(account.api_key.value, /^sk-svcacct-/);
about(account.api_key.expires_at, inAnHour());
const bare = await serviceAccounts.create(project_id, { name: 'bare', create_service_account_only: true });
assert.equal(bare.api_key, null);
const names = [];
for await (const { name } of serviceAccounts.list(project_id, { limit: 1 })) names.push(name);
assert.deepEqual(names, ['Production', 'prod', 'bare']);

for (const id of ['key_abc', 'key_45', account.api_key.id]) {
  const key = await apiKeys.retrieve(id, { project_id });
  assert.equal(key.id, id);
  const updated = await apiKeys.update(id, { project_id, expires_in_seconds: 3600, scopes: [] });
  about(updated.expires_at, inAnHour());
  const deleted = await apiKeys.delete(id, { project_id });
  assert.deepEqual(deleted, { object: 'organization.project.api_key.deleted', id, deleted: true });
  await assert.rejects(apiKeys.retrieve(id, { project_id }), { status: 404 });
}

// Operations that the fake does not implement get a 501, which is not retried, and never a 404.
await assert.rejects(organization.adminAPIKeys.delete(admin.id), { status: 501 });
await assert.rejects(serviceAccounts.delete(account.id, { project_id }), { status: 501 });
console.log("the vendor's Node SDK calls all operations of the fake");
