-- One database and one login for each service, and one for the keys: none can read another's.
-- Repeating it changes nothing but the passwords, which come from the environment.
\set names '''contacts'',''pipeline'',''ticketing'',''campaigns'',''views'',''keys'''
SELECT format('CREATE ROLE crm_%s LOGIN', name) FROM unnest(ARRAY[:names]) AS name
 WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'crm_' || name) \gexec
SELECT format('CREATE DATABASE crm_%s OWNER crm_%s', name, name) FROM unnest(ARRAY[:names]) AS name
 WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'crm_' || name) \gexec
SELECT format('REVOKE CONNECT ON DATABASE crm_%s FROM PUBLIC', name)
  FROM unnest(ARRAY[:names]) AS name \gexec
\getenv contacts CRM_CONTACTS_PASSWORD
\getenv pipeline CRM_PIPELINE_PASSWORD
\getenv ticketing CRM_TICKETING_PASSWORD
\getenv campaigns CRM_CAMPAIGNS_PASSWORD
\getenv views CRM_VIEWS_PASSWORD
\getenv keys CRM_KEYS_PASSWORD
ALTER ROLE crm_contacts PASSWORD :'contacts';
ALTER ROLE crm_pipeline PASSWORD :'pipeline';
ALTER ROLE crm_ticketing PASSWORD :'ticketing';
ALTER ROLE crm_campaigns PASSWORD :'campaigns';
ALTER ROLE crm_views PASSWORD :'views';
ALTER ROLE crm_keys PASSWORD :'keys';
