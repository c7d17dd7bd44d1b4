package e2e

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"strings"
)

// filler is a form of file that has no credential, whatever it looks like.
type filler struct {
	path string
	make func(*mint) []byte
}

// fillers are the forms; the set has as many files of each.
func fillers() []filler {
	var all []filler
	all = append(all, sources()...)
	all = append(all, hashes()...)
	all = append(all, publicKeys()...)
	all = append(all, placeholders()...)
	all = append(all, systemFiles()...)
	all = append(all, documents()...)
	return append(all, blobs()...)
}

// of makes a file of a head, some repeated lines and an end.
func of(head string, least, most int, line, end string) func(*mint) []byte {
	return func(m *mint) []byte {
		return []byte(m.fill(head) + m.lines(least+m.IntN(most-least+1), line) + m.fill(end))
	}
}

// sources talk of passwords and tokens all the time.
func sources() []filler {
	return []filler{
		{"usr/local/go/src/«word»/«word»/«word».go", of("package «word»\n\nimport (\n\t\"os\"\n\t\"strings\"\n)\n\n", 5, 20,
			"// «Word»«Word» returns the «word» of a token; the secret stays with its caller.\nfunc «Word»«Word»(token, password string) (string, error) {\n\tapiKey := os.Getenv(\"API_KEY_«word»\")\n\tif password == \"\" {\n\t\treturn \"\", errNoPassword\n\t}\n\tsecretKey := strings.TrimPrefix(token, \"Bearer \")\n\treturn «word»(apiKey, secretKey)\n}\n\n", "const checksum = \"«hex:64»\"\n")},
		{"usr/lib/python3/dist-packages/«word»/«word».py", of("import os\nfrom .«word» import «Word»Error\n\nSECRET_KEY = os.environ[\"SECRET_KEY\"]\nDB_PASSWORD = os.getenv(\"DB_PASSWORD\", default=None)\n\n", 4, 18,
			"def «word»_«word»(self, password=None, token=None, api_key=None):\n    \"\"\"«say:9».\n\n    :param password: the password of the «word»\n    \"\"\"\n    self.password = password or getpass.getpass('Password: ')\n    auth_token = self.tokens.get('«word»_«word»')\n    return self._request(headers={'Authorization': 'Bearer ' + auth_token})\n\n\n", "")},
		{"usr/lib/ruby/gems/3.1.0/gems/«word»-1.«digits:1».«digits:1»/lib/«word».rb", of("# frozen_string_literal: true\n\nmodule «Word»\n", 3, 12,
			"  def «word»(password: ENV.fetch('«word»_PASSWORD'), token: config.api_token)\n    raise ArgumentError, 'password is missing' if password.nil?\n    @secret_key_base = Rails.application.secrets.secret_key_base\n  end\n\n", "end\n")},
		{"usr/share/php/«Word»/«Word»«Word».php", of("<?php\n\nnamespace «Word»\\«Word»;\n\nclass «Word»\n{\n    private $password;\n", 3, 10,
			"    public function «word»($user, $password = null)\n    {\n        $password = $_POST['password'] ?? $this->config['db_password'];\n        $secret = getenv('APP_SECRET');\n        define('DB_PASSWORD', getenv('WORDPRESS_DB_PASSWORD'));\n        return password_verify($password, $this->passwordHash);\n    }\n\n", "}\n")},
		{"usr/share/java-src/«word»/«Word»«Word».java", of("package org.«word».«word»;\n\nimport java.util.Objects;\n\npublic final class «Word» {\n    @Value(\"${spring.datasource.password}\")\n    private String password;\n    private static final long serialVersionUID = -«digits:18»L;\n    public static final String ACCESS_TOKEN_KEY = \"access_token\";\n", 3, 12,
			"    public String get«Word»Password() { return this.password; }\n    public void set«Word»Secret(String secretKey) { this.secretKey = Objects.requireNonNull(secretKey, \"secretKey must not be null\"); }\n", "}\n")},
		{"srv/«word»/src/components/«Word»«Word».tsx", of("import React from 'react';\nimport * as yup from 'yup';\n\nconst schema = yup.object({\n  password: yup.string().required('Password is required').min(8),\n  apiToken: yup.string(),\n});\n\n", 2, 8,
			"export const «Word»«Word» = ({ token, onSecretChange }: Props) => (\n  <Input type=\"password\" name=\"password\" autoComplete=\"current-password\" placeholder=\"Enter your password\" value={token} data-testid=\"«word»-password-input\" />\n);\n\n", "")},
		{"srv/«word»/node_modules/«word»-«word»/lib/«word».js", of("'use strict';\n\nconst crypto = require('crypto');\nmodule.exports = «word»;\n\n", 3, 12,
			"function «word»«Word»(options) {\n  const password = options.password || process.env.«word»_PASSWORD;\n  const accessToken = options.accessToken || req.headers['x-access-token'];\n  if (!options.secretOrKey) throw new TypeError('JwtStrategy requires a secret or key');\n  return { apiKey: options.apiKey, clientSecret: this._clientSecret, privateKey: options.privateKey };\n}\n\n", "")},
		{"srv/«word»/node_modules/«word»/dist/«word».min.js", func(m *mint) []byte { return minified(m, 4000+m.IntN(12_000)) }},
		{"srv/«word»/public/static/js/«digits:4».«hex:8».chunk.js", of("(self.webpackChunk=self.webpackChunk||[]).push([[«digits:4»],{", 20, 90, "«digits:5»:(e,t,n)=>{e.exports=n.p+\"static/media/«word».«hex:20».svg\"},", "}]);\n//# sourceMappingURL=«digits:4».«hex:8».chunk.js.map\n")},
		{"srv/«word»/public/runtime.«hex:8».js", of("!function(){var e={},t={};i.u=function(e){return\"static/js/\"+e+\".\"+{", 20, 80, "«digits:4»:\"«hex:8»\",", "0:\"«hex:8»\"}[e]+\".chunk.js\"}}();\n")},
		{"usr/include/«word»/«word»«digits:2».h", of("#ifndef «Word»_H\n#define «Word»_H\n\n#define TOKEN_STRING_LITERAL 0x«hex:4»\n#define PASSWORD_MAX_LEN 128\n", 10, 40, "extern int «word»_«word»_key(const char *secret, size_t token_len); /* 0x«hex:8» */\n", "#endif\n")},
		{"usr/src/«word»/«word»_tables.c", of("/* generated */\nstatic const unsigned char key_schedule[] = {\n", 20, 60, "\t0x«hex:2», 0x«hex:2», 0x«hex:2», 0x«hex:2», 0x«hex:2», 0x«hex:2», 0x«hex:2», 0x«hex:2»,\n", "};\n")},
		{"usr/share/perl5/«Word»/«Word».pm", of("package «Word»::«Word»;\nuse strict;\n\n", 3, 10, "sub «word» {\n    my ($self, %args) = @_;\n    my $password = $args{password} || $ENV{«Word»_PASSWORD};\n    $self->{api_key} = $args{api_key} or croak 'api_key is required';\n    return $self->{token};\n}\n\n", "1;\n")},
		{"usr/local/lib/python3.12/site-packages/«word»/test/test_«word».py", of("import unittest\n\n\nclass Test«Word»(unittest.TestCase):\n", 3, 10, "    def test_«word»_«word»(self):\n        client = Client(username='user', password='password', token='token')\n        self.assertEqual(client.secret, 'secret')\n        self.assertEqual(digest('«word»'), '«hex:40»')\n\n", "")},
		{"usr/local/share/«word»/«word».sh", of("#!/bin/sh\nset -eu\n: \"${DB_PASSWORD:?DB_PASSWORD must be set}\"\nfile_env 'POSTGRES_PASSWORD'\n", 3, 10, "export «Word»_TOKEN=\"$(cat /run/secrets/«word»_token)\"\nPGPASSWORD=\"${PGPASSWORD:-$POSTGRES_PASSWORD}\"\ncurl -fsS -H \"Authorization: Bearer ${API_TOKEN}\" -u \"$USER:$PASS\" \"https://api.«word».org/v1/«word»\"\n", "exec \"$@\"\n")},
		{"srv/«word»/migrations/«digits:12»_«word».sql", of("BEGIN;\n", 5, 20, "ALTER TABLE «word» ADD COLUMN password_hash VARCHAR(255) NOT NULL;\nCREATE INDEX idx_«word»_token ON «word» (access_token, api_key);\nINSERT INTO «word» (id, name) VALUES ('«uuid»', '«word»');\n", "COMMIT;\n")},
		{"srv/«word»/src/«word».rs", of("use std::env;\n\n", 3, 12, "pub fn «word»_«word»(password: &str, token: Option<String>) -> Result<Secret, Error> {\n    let api_key = env::var(\"«Word»_API_KEY\").expect(\"API_KEY is not set\");\n    let secret_key = SecretKey::from_slice(token.as_bytes())?;\n    Ok(secret_key)\n}\n\n", "")},
		{"srv/«word»/proto/«word».proto", of("syntax = \"proto3\";\n\npackage «word».v1;\n\n", 3, 12, "message «Word»«Word»Request {\n  string access_token = 1;\n  string client_secret = 2; // never logged\n  bytes password_hash = 3;\n}\n\n", "")},
	}
}

// hashes have much entropy and no secret.
func hashes() []filler {
	return []filler{
		{"srv/«word»/package-lock.json", of("{\n  \"name\": \"«word»\",\n  \"lockfileVersion\": 3,\n  \"packages\": {\n", 10, 50, "    \"node_modules/«word»-«word»\": {\n      \"version\": \"1.«digits:1».«digits:1»\",\n      \"resolved\": \"https://npm.example.org/«word»/-/«word»-1.0.0.tgz\",\n      \"integrity\": \"sha512-«b64:64»\"\n    },\n", "    \"node_modules/js-tokens\": {\n      \"version\": \"4.0.0\",\n      \"integrity\": \"sha512-«b64:64»\"\n    }\n  }\n}\n")},
		{"srv/«word»/yarn.lock", of("# yarn lockfile v1\n\n\n", 10, 40, "«word»-token@^1.«digits:1».0:\n  version \"1.«digits:1».«digits:1»\"\n  resolved \"https://registry.yarnpkg.com/«word»/-/«word»-1.2.3.tgz#«hex:40»\"\n  integrity sha512-«b64:64»\n\n", "")},
		{"srv/«word»/pnpm-lock.yaml", of("lockfileVersion: '9.0'\n\npackages:\n\n", 10, 40, "  '@«word»/auth-token@3.«digits:5».0':\n    resolution: {integrity: sha512-«b64:64»}\n    engines: {node: '>= 18'}\n\n", "")},
		{"srv/«word»/go.sum", of("", 20, 80, "github.com/«word»/«word» v1.«digits:1».«digits:1» h1:«b64:32»\ngithub.com/«word»/«word» v1.«digits:1».«digits:1»/go.mod h1:«b64:32»\n", "")},
		{"srv/«word»/Cargo.lock", of("version = 3\n\n", 10, 40, "[[package]]\nname = \"secret-«word»\"\nversion = \"0.«digits:1».«digits:1»\"\nsource = \"registry+https://github.com/rust-lang/crates.io-index\"\nchecksum = \"«hex:64»\"\n\n", "")},
		{"srv/«word»/poetry.lock", of("", 8, 30, "[[package]]\nname = \"«word»-keyring\"\nversion = \"2.«digits:1»\"\nfiles = [\n    {file = \"«word»-2.1-py3-none-any.whl\", hash = \"sha256:«hex:64»\"},\n]\n\n", "[metadata]\ncontent-hash = \"«hex:64»\"\n")},
		{"srv/«word»/requirements.txt", of("", 8, 30, "«word»-«word»==1.«digits:1» \\\n    --hash=sha256:«hex:64» \\\n    --hash=sha256:«hex:64»\n", "")},
		{"srv/«word»/composer.lock", of("{\n    \"content-hash\": \"«hex:32»\",\n    \"packages\": [\n", 8, 25, "        {\n            \"name\": \"«word»/password-«word»\",\n            \"source\": {\"type\": \"git\", \"url\": \"https://github.com/«word»/«word».git\", \"reference\": \"«hex:40»\"},\n            \"dist\": {\"type\": \"zip\", \"reference\": \"«hex:40»\", \"shasum\": \"\"}\n        },\n", "        {}\n    ]\n}\n")},
		{"srv/«word»/Gemfile.lock", of("GIT\n  remote: https://github.com/«word»/«word».git\n  revision: «hex:40»\n\nGEM\n  remote: https://rubygems.org/\n  specs:\n", 10, 40, "    «word»-token (1.«digits:1».«digits:1»)\n", "\nCHECKSUMS\n  rake (13.2.1) sha256=«hex:64»\n")},
		{"var/lib/dpkg/info/«word»-«word»«digits:2».md5sums", of("", 20, 80, "«hex:32»  usr/share/«word»/«word»-token.«word»\n", "")},
		{"usr/share/«word»/SHA256SUMS", of("", 10, 60, "«hex:64»  «word»-secret-1.«digits:1».tar.gz\n", "")},
		{"usr/lib/python3/dist-packages/«word»-1.«digits:1».dist-info/RECORD", of("", 20, 60, "«word»/auth_token_«word».py,sha256=«url64:43»,«digits:4»\n", "")},
		{"opt/«word»/META-INF/MANIFEST.MF", of("Manifest-Version: 1.0\n\n", 10, 40, "Name: org/«word»/SecretKey«Word».class\nSHA-256-Digest: «b64:32»\n\n", "")},
		{"lib/apk/db/installed", of("", 10, 40, "C:Q1«b64:20»\nP:«word»-secret\nV:1.«digits:1»-r0\nF:usr/share/«word»\nR:token\nZ:Q1«b64:20»\n\n", "")},
		{"srv/«word»/.terraform.lock.hcl", of("provider \"registry.terraform.io/hashicorp/«word»\" {\n  version = \"5.1.0\"\n  hashes = [\n", 5, 20, "    \"h1:«b64:32»\",\n    \"zh:«hex:64»\",\n", "  ]\n}\n")},
		{"srv/«word»/data/«word»-«digits:3».json", of("{\"items\":[", 10, 60, "{\"id\":\"«uuid»\",\"etag\":\"«hex:32»\",\"commit\":\"«hex:40»\",\"key\":\"«word»-«digits:4»\",\"nextPageToken\":\"\"},", "{}]}\n")},
		{"srv/«word»/.git/packed-refs", of("# pack-refs with: peeled fully-peeled sorted\n", 5, 30, "«hex:40» refs/tags/v1.«digits:1».«digits:1»\n^«hex:40»\n", "")},
		{"srv/«word»/manifest.json", of("{\"schemaVersion\":2,\"layers\":[", 3, 12, "{\"mediaType\":\"application/vnd.oci.image.layer.v1.tar+gzip\",\"size\":«digits:7»,\"digest\":\"sha256:«hex:64»\"},", "{}]}\n")},
		{"srv/«word»/asset-manifest-«digits:3».json", of("{\n", 10, 40, "  \"token-«word».js\": \"/static/js/«word».«hex:20».js\",\n", "  \"end\": \"\"\n}\n")},
		{"srv/«word»/__snapshots__/«Word».test.js.snap", of("// Jest Snapshot v1\n\n", 3, 12, "exports[`«Word» renders the password field 1`] = `\n<input\n  class=\"css-«lower:7»-«Word»\"\n  id=\"«uuid»\"\n  name=\"password\"\n  value=\"\"\n/>\n`;\n\n", "")},
		{"usr/share/«word»/vectors/«word»-gcm.txt", of("# NIST vectors\n", 10, 30, "Key = «hex:32»\nIV = «hex:24»\nPT = «hex:32»\nCT = «hex:32»\nTag = «hex:32»\n\n", "")},
		{"usr/local/lib/python3.12/site-packages/«word»/_version_«digits:3».py", text("import json\n\nversion_json = '''\n{\n \"date\": \"2024-01-02T03:04:05\",\n \"full-revisionid\": \"«hex:40»\",\n \"version\": \"1.«digits:1».0\"\n}\n'''\n")},
	}
}

// publicKeys may be known.
func publicKeys() []filler {
	certificate := func(m *mint) []byte {
		return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: append([]byte{0x30, 0x82, 0x03, 0x6c, 0x30, 0x82}, m.bytes(870)...)})
	}
	return []filler{
		{"usr/share/ca-certificates/mozilla/«Word»_«Word»_CA.crt", certificate},
		{"etc/ssl/certs/«hex:8».0", func(m *mint) []byte { return bytes.Repeat(certificate(m), 1) }},
		{"etc/nginx/ssl/«word»-chain.pem", func(m *mint) []byte { return append(certificate(m), certificate(m)...) }},
		{"etc/«word»/jwt-public.pem", func(m *mint) []byte {
			return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: append([]byte{0x30, 0x82, 0x01, 0x22}, m.bytes(290)...)})
		}},
		{"home/«word»/.ssh/authorized_keys", of("", 1, 4, "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQ«alnum:340» «word»@«word»\n", "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI«alnum:43» «word»@«word»\n")},
		{"etc/ssh/ssh_known_hosts_«digits:3»", of("", 2, 8, "|1|«b64:20»|«b64:20» ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBB«alnum:86»=\n", "")},
		{"usr/share/keyrings/«word»-archive.asc", func(m *mint) []byte {
			return []byte("-----BEGIN PGP PUBLIC KEY BLOCK-----\n\n" + wrap(base64.StdEncoding.EncodeToString(m.bytes(1100)), 64) + "=" + m.of(base62, 4) + "\n-----END PGP PUBLIC KEY BLOCK-----\n")
		}},
		{"srv/«word»/.well-known/jwks.json", text(`{"keys":[{"kty":"RSA","use":"sig","alg":"RS256","kid":"«uuid»","e":"AQAB","n":"«url64:342»"},{"kty":"EC","crv":"P-256","kid":"«hex:16»","x":"«url64:43»","y":"«url64:43»"}]}`)},
		{"root/.kube/cache/discovery/«word»-ca.yaml", text("apiVersion: v1\nkind: Config\nclusters:\n- cluster:\n    certificate-authority-data: LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0t«b64:600»\n    server: https://10.0.0.1:6443\n  name: «word»\nusers:\n- name: «word»\n  user:\n    exec:\n      apiVersion: client.authentication.k8s.io/v1\n      command: aws\n")},
		{"etc/wireguard-peers/«word».peer", text("[Peer]\nPublicKey = «b64:32»\nAllowedIPs = 10.8.0.«digits:2»/32\n")},
		{"etc/openvpn/«word»-ca.crt.conf", func(m *mint) []byte {
			return []byte("client\nremote vpn.org 1194\n<ca>\n" + string(certificate(m)) + "</ca>\n")
		}},
		{"usr/share/dns/root-«digits:3».key", text(". IN DNSKEY 257 3 8 AwEAA«b64:258»\n. IN DS 20326 8 2 «HEX:64»\n")},
		{"etc/«word»/dhparam.pem", func(m *mint) []byte {
			return pem.EncodeToMemory(&pem.Block{Type: "DH PARAMETERS", Bytes: append([]byte{0x30, 0x82, 0x01, 0x08}, m.bytes(264)...)})
		}},
	}
}

// placeholders are where a secret will be, or how it is named, or its ciphertext.
func placeholders() []filler {
	return []filler{
		{"srv/«word»/.env.example", text("APP_KEY=\nAPP_SECRET=change-me-«word»\nDB_PASSWORD=changeme\nREDIS_PASSWORD=null\nMAIL_PASSWORD=\nJWT_SECRET=your-256-bit-secret\nAWS_ACCESS_KEY_ID=your-access-key-id\nAWS_SECRET_ACCESS_KEY=xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\nSTRIPE_KEY=sk_live_xxxxxxxxxxxxxxxxxxxxxxxx\nGITHUB_TOKEN=ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\n")},
		{"srv/«word»/.env", text("DB_HOST=db\nDB_PASSWORD=${DB_PASSWORD}\nREDIS_URL=redis://:${REDIS_PASSWORD}@redis:6379/0\nDATABASE_URL=postgres://$DB_USER:$DB_PASS@$DB_HOST/«word»\nAPI_TOKEN=<your-token>\nSECRET_KEY={{ secret_key }}\n")},
		{"srv/«word»/.env.dist", text("DATABASE_URL=\"mysql://user:password@localhost:3306/«word»\"\nMAILER_DSN=smtp://user:pass@localhost:1025\nMESSENGER_TRANSPORT_DSN=amqp://guest:guest@localhost:5672/%2f/messages\nMONGO_URL=mongodb://username:password@host:27017/db\n")},
		{"srv/«word»/config/database.yml", text("default: &default\n  adapter: postgresql\n  username: <%= ENV['DB_USER'] %>\n  password: <%= ENV['DB_PASSWORD'] %>\n\nproduction:\n  <<: *default\n  url: <%= ENV['DATABASE_URL'] %>\n")},
		{"srv/«word»/wp-config-sample.php", text("<?php\ndefine( 'DB_NAME', 'database_name_here' );\ndefine( 'DB_USER', 'username_here' );\ndefine( 'DB_PASSWORD', 'password_here' );\ndefine( 'AUTH_KEY',         'put your unique phrase here' );\ndefine( 'NONCE_SALT',       'put your unique phrase here' );\n")},
		{"opt/«word»/application.yml", text("spring:\n  datasource:\n    url: jdbc:postgresql://${DB_HOST:localhost}:5432/«word»\n    username: ${DB_USER}\n    password: ${DB_PASSWORD:}\n  security:\n    oauth2:\n      client:\n        registration:\n          «word»:\n            client-secret: ${OAUTH_CLIENT_SECRET}\njwt:\n  secret: ${JWT_SECRET:#{null}}\n")},
		{"opt/«word»/application.properties", text("spring.datasource.password=@db.password@\nspring.datasource.druid.password=ENC(«b64:32»)\nserver.ssl.key-store-password=%KEYSTORE_PASSWORD%\nspring.mail.password=\nmanagement.endpoint.env.show-values=never\n")},
		{"srv/«word»/k8s/deployment.yaml", of("apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: «word»\nspec:\n  template:\n    spec:\n      containers:\n      - name: api\n        image: «word»@sha256:«hex:64»\n        env:\n", 2, 6, "        - name: «word»_PASSWORD\n          valueFrom:\n            secretKeyRef:\n              name: «word»-credentials\n              key: password\n", "      imagePullSecrets:\n      - name: registry-credentials\n")},
		{"srv/«word»/templates/secret.yaml", text("apiVersion: v1\nkind: Secret\nmetadata:\n  name: {{ include \"«word».fullname\" . }}\ntype: Opaque\ndata:\n  password: {{ .Values.auth.password | b64enc | quote }}\n  token: {{ randAlphaNum 32 | b64enc }}\n")},
		{"srv/«word»/sealed/«word».yaml", text("apiVersion: bitnami.com/v1alpha1\nkind: SealedSecret\nmetadata:\n  name: «word»\nspec:\n  encryptedData:\n    password: AgB«b64:420»\n")},
		{"srv/«word»/secrets.enc.yaml", text("database:\n    password: ENC[AES256_GCM,data:«b64:15»,iv:«b64:32»,tag:«b64:16»,type:str]\n    token: ENC[AES256_GCM,data:«b64:30»,iv:«b64:32»,tag:«b64:16»,type:str]\nsops:\n    lastmodified: \"2024-01-01T00:00:00Z\"\n    mac: ENC[AES256_GCM,data:«b64:66»,iv:«b64:32»,tag:«b64:16»,type:str]\n    version: 3.8.1\n")},
		{"srv/«word»/group_vars/vault.yml", func(m *mint) []byte {
			return []byte("db_user: app\ndb_password: !vault |\n  $ANSIBLE_VAULT;1.1;AES256\n" + m.lines(6, "  «hex:80»\n") + "db_token: \"{{ lookup('env', 'DB_TOKEN') }}\"\n")
		}},
		{"srv/«word»/docker-compose.yml", text("services:\n  db:\n    image: postgres:16\n    environment:\n      POSTGRES_USER: ${POSTGRES_USER:-postgres}\n      POSTGRES_PASSWORD: ${POSTGRES_PASSWORD:?error}\n      POSTGRES_PASSWORD_FILE: /run/secrets/db_password\n    secrets:\n    - db_password\nsecrets:\n  db_password:\n    file: ./db_password.txt\n")},
		{"srv/«word»/variables.tf", of("", 3, 12, "variable \"«word»_password\" {\n  description = \"Password of the «word» database\"\n  type        = string\n  sensitive   = true\n}\n\n", "resource \"random_password\" \"db\" {\n  length = 32\n}\n\noutput \"token\" {\n  value = random_password.db.result\n}\n")},
		{"srv/«word»/terraform.tfvars.example", text("db_username = \"admin\"\ndb_password = \"REPLACE_ME\"\napi_token   = \"your-api-token-here\"\nsecret_key  = \"<SECRET_KEY>\"\n")},
		{"srv/«word»/.github/workflows/«word».yml", text("name: ci\non: push\njobs:\n  build:\n    runs-on: ubuntu-latest\n    steps:\n    - uses: actions/checkout@«hex:40»\n    - run: make release\n      env:\n        GITHUB_TOKEN: ${{ secrets.GITHUB_TOKEN }}\n        NPM_TOKEN: ${{ secrets.NPM_TOKEN }}\n        AWS_SECRET_ACCESS_KEY: ${{ secrets.AWS_SECRET_ACCESS_KEY }}\n")},
		{"srv/«word»/Dockerfile", text("FROM golang:1.22@sha256:«hex:64» AS build\nARG GITHUB_TOKEN\nENV GITHUB_TOKEN=$GITHUB_TOKEN\nRUN --mount=type=secret,id=npm_token NPM_TOKEN=$(cat /run/secrets/npm_token) npm ci\nENV DB_PASSWORD=\"\"\n")},
		{"etc/systemd/system/«word»-api.service", text("[Unit]\nDescription=«Word»\n\n[Service]\nEnvironmentFile=/etc/«word»/secrets.env\nEnvironment=TOKEN_FILE=/run/secrets/token PASSWORD_FILE=/run/secrets/password\nLoadCredential=token:/etc/«word»/token\nExecStart=/usr/bin/«word»\n")},
		{"srv/«word»/settings_«digits:3».py", text("import os\nimport environ\n\nenv = environ.Env()\nSECRET_KEY = env('DJANGO_SECRET_KEY')\nDATABASES = {'default': {'PASSWORD': os.environ.get('DB_PASSWORD', ''), 'USER': env('DB_USER')}}\nEMAIL_HOST_PASSWORD = config('EMAIL_HOST_PASSWORD')\nAWS_SECRET_ACCESS_KEY = os.environ['AWS_SECRET_ACCESS_KEY']\n")},
		{"srv/«word»/appsettings.Development.json", text("{\n  \"ConnectionStrings\": {\n    \"DefaultConnection\": \"Server=(localdb)\\\\mssqllocaldb;Database=«Word»;Trusted_Connection=True\",\n    \"Other\": \"Server=db;User Id=sa;Password={your_password};\"\n  },\n  \"Jwt\": { \"Key\": \"#{JwtKey}#\" }\n}\n")},
		{"root/.m2/«word»/settings.xml", text("<settings>\n  <servers>\n    <server>\n      <id>«word»</id>\n      <username>${env.NEXUS_USER}</username>\n      <password>${env.NEXUS_PASSWORD}</password>\n    </server>\n    <server>\n      <id>enc</id>\n      <password>{«b64:32»}</password>\n    </server>\n  </servers>\n</settings>\n")},
		{"srv/«word»/.npmrc", text("registry=https://npm.example.org/\n//npm.example.org/:_authToken=${NPM_TOKEN}\nfund=false\n")},
		{"home/«word»/.docker/config.json", text("{\n  \"auths\": {\n    \"https://index.docker.io/v1/\": {}\n  },\n  \"credsStore\": \"desktop\",\n  \"HttpHeaders\": {\"User-Agent\": \"Docker-Client/24.0.«digits:1» (linux)\"}\n}\n")},
		{"etc/«word»/redis.conf", text("# requirepass foobared\n# masterauth <master-password>\n# user worker +@list +@connection ~jobs:* on >ffa9203c493aa99\nport 6379\n")},
		{"srv/«word»/config.toml.sample", text("[database]\n# password = \"secret\"\npassword = \"password\"\nuser = \"root\"\n\n[auth]\ntoken = \"********\"\nclient_secret = \"\"\n")},
		{"srv/«word»/external-secret.yaml", text("apiVersion: external-secrets.io/v1beta1\nkind: ExternalSecret\nmetadata:\n  name: «word»\nspec:\n  secretStoreRef:\n    name: vault-backend\n  data:\n  - secretKey: password\n    remoteRef:\n      key: secret/data/«word»/«word»\n      property: password\n")},
		{"srv/«word»/params-«digits:2».json", text("{\n  \"password\": \"{{resolve:secretsmanager:«word»:SecretString:password}}\",\n  \"apiKeySecretArn\": \"arn:aws:secretsmanager:eu-west-1:«digits:12»:secret:«word»-«alnum:6»\",\n  \"keyVaultUri\": \"https://«word».vault.azure.net/secrets/db-password/«hex:32»\",\n  \"tokenUrl\": \"https://login.«word».org/oauth2/token\"\n}\n")},
		{"srv/«word»/values.yaml", text("auth:\n  enabled: true\n  password: \"\"\n  existingSecret: \"«word»-auth\"\n  secretKeys:\n    adminPasswordKey: postgres-password\n    userPasswordKey: password\nserviceAccount:\n  create: true\n  automountServiceAccountToken: false\n")},
		{"opt/«word»/conf/tomcat-users.xml", text("<tomcat-users>\n<!--\n  <user username=\"admin\" password=\"<must-be-changed>\" roles=\"manager-gui\"/>\n  <user username=\"tomcat\" password=\"tomcat\" roles=\"tomcat\"/>\n-->\n</tomcat-users>\n")},
		{"etc/«word»/grafana-«digits:2».ini", text("[security]\n;admin_user = admin\n;admin_password = admin\n;secret_key = changeit-changeit\n\n[smtp]\n# If the password contains # or ; you have to wrap it with triple quotes.\n;password =\n")},
		{"etc/«word»/rabbitmq.conf.example", text("## Default user name and password\n# default_user = guest\n# default_pass = guest\n# ssl_options.password = t0p$3kRe7\nauth_backends.1 = internal\n")},
		{"srv/«word»/pom.xml", text("<project>\n  <properties>\n    <db.password>${env.DB_PASSWORD}</db.password>\n    <keystore.password>changeit</keystore.password>\n  </properties>\n  <dependencies>\n    <dependency><groupId>org.«word»</groupId><artifactId>«word»-password-encoder</artifactId><version>1.«digits:1».0</version></dependency>\n  </dependencies>\n</project>\n")},
		{"srv/«word»/rbac.yaml", text("apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata:\n  name: «word»\nrules:\n- apiGroups: [\"\"]\n  resources: [\"secrets\", \"serviceaccounts/token\"]\n  verbs: [\"get\"]\n---\nkind: ServiceAccount\nsecrets:\n- name: «word»-token-«lower:5»\n")},
		{"srv/«word»/playbook.yml", text("- hosts: all\n  vars:\n    db_password: \"{{ vault_db_password }}\"\n    api_token: \"{{ lookup('hashi_vault', 'secret=secret/«word»:token') }}\"\n  tasks:\n  - name: Set the password of «word»\n    user: {name: «word», password: \"{{ password | password_hash('sha512') }}\", update_password: on_create}\n    no_log: true\n")},
		{"srv/«word»/config/settings.js", text("module.exports = {\n  password: process.env.DB_PASSWORD,\n  jwtSecret: config.get('jwt.secret'),\n  apiKey: import.meta.env.VITE_API_KEY,\n  clientSecret: secrets['«word»-client-secret'],\n  passwordField: 'user[password]',\n  tokenEndpoint: 'https://auth.«word».org/oauth/token',\n  secretName: '«word»/prod/db-credentials',\n};\n")},
		{"srv/«word»/local.properties.template", text("sdk.dir=/opt/android\nstorePassword=YOUR_KEYSTORE_PASSWORD\nkeyPassword=YOUR_KEY_PASSWORD\napiKey=INSERT_API_KEY_HERE\nsigning.password=TODO\n")},
	}
}

// systemFiles are a distribution's.
func systemFiles() []filler {
	return []filler{
		{"etc/pam.d/«word»", text("auth    required    pam_unix.so nullok\npassword    requisite    pam_pwquality.so retry=3 minlen=12\npassword    [success=1 default=ignore]    pam_unix.so obscure use_authtok try_first_pass yescrypt\nsession    optional    pam_«word».so\n")},
		{"etc/ssh/sshd_config.d/«word».conf", text("PasswordAuthentication no\nPermitRootLogin prohibit-password\nAuthorizedKeysFile .ssh/authorized_keys\nHostKey /etc/ssh/ssh_host_ed25519_key\n")},
		{"etc/«word»/shadow", of("root:*:19700:0:99999:7:::\n", 10, 20, "«word»:!:19700:0:99999:7:::\n", "nobody:!*:19700::::::\n")},
		{"etc/«word»/passwd", of("root:x:0:0:root:/root:/bin/bash\n", 10, 20, "«word»:x:1«digits:3»:1«digits:3»:«Word»:/var/lib/«word»:/usr/sbin/nologin\n", "")},
		{"var/lib/dpkg/info/«word»-«word».templates", of("", 2, 6, "Template: «word»/mysql/admin-pass\nType: password\nDescription: Password of the database's administrative user:\n Please provide the password for the administrative account with which this package should create its database.\nDescription-de.UTF-8: Passwort des administrativen Benutzers der Datenbank:\n Bitte geben Sie das Passwort an.\n\n", "")},
		{"var/log/«word».log", of("", 20, 100, "2024-05-0«digits:1»T10:11:12Z INFO request_id=«uuid» session=«hex:8» trace=«hex:32» password check ok for user «word»\n", "May 01 10:11:12 «word» sshd[«digits:4»]: Accepted publickey for «word» from 10.0.0.1 port «digits:4» ssh2: ED25519 SHA256:«alnum:43»\n")},
		{"etc/nginx/sites-enabled/«word»", text("server {\n  listen 443 ssl;\n  ssl_certificate /etc/ssl/certs/«word».pem;\n  ssl_certificate_key /etc/ssl/private/«word».key;\n  ssl_session_tickets off;\n  auth_basic \"Restricted\";\n  auth_basic_user_file /etc/nginx/.htpasswd;\n  proxy_set_header Authorization $http_authorization;\n}\n")},
		{"usr/share/bash-completion/completions/«word»", of("_«word»() {\n", 3, 12, "    case $prev in --password|--token|--secret-key|--api-key) return ;; esac\n    opts=\"--password= --token-file= --«word»\"\n", "}\n")},
		{"etc/cron.d/«word»-clean", text("# min hour dom mon dow user command\n17 * * * * root cd / && run-parts --report /etc/cron.hourly\n0 3 * * * root curl -s -u \"$(cat /run/secrets/auth)\" https://api.«word».org/ping\n")},
		{"usr/lib/«word»/«word».conf", of("# «say:9»\n", 5, 20, "#«word»_password = \n«word»_«word» = /etc/«word»/«word».key\ntoken_lifetime = «digits:4»\n", "")},
		{"etc/apt/sources.list.d/«word».sources", text("Types: deb\nURIs: https://deb.«word».org/debian\nSuites: bookworm\nComponents: main\nSigned-By: /usr/share/keyrings/«word».gpg\n")},
		{"usr/share/zoneinfo-text/«Word»", of("", 5, 20, "Rule «Word» 19«digits:2» only - Mar lastSun 1:00u 1:00 S\n", "")},
		{"usr/share/X11/locale/«word»/Compose", of("", 10, 40, "<Multi_key> <«word»> <«word»> : \"«letters:1»\" U00«HEX:2» # LATIN «Word»\n", "")},
		{"var/lib/«word»/machine-id-«digits:3»", text("«hex:32»\n")},
	}
}

// documents are for people.
func documents() []filler {
	return []filler{
		{"usr/share/doc/«word»/README.md", func(m *mint) []byte {
			awsKey, awsSecret := "AKIA"+"IOSFODNN7EXAMPLE", "wJalrXUtnFEMI/"+"K7MDENG/bPxRfiCY"+"EXAMPLEKEY" // of the vendor's documentation
			return []byte(m.fill("# «Word»\n\n«say:30».\n\n```sh\nexport AWS_ACCESS_KEY_ID=") + awsKey + "\nexport AWS_SECRET_ACCESS_KEY=" + awsSecret +
				m.fill("\ncurl -H \"Authorization: Bearer <token>\" https://api.«word».org/v1\ncurl -u username:password https://api.«word».org/\npsql postgres://user:password@localhost:5432/«word»\n```\n\nSet `DB_PASSWORD` to the password of the «word», e.g. `DB_PASSWORD=mysecretpassword`.\n"))
		}},
		{"srv/«word»/README.md", text("# «Word»\n\n«say:40».\n\n| Variable | Default |\n|---|---|\n| `POSTGRES_PASSWORD` | `postgres` |\n| `SECRET_KEY` | none, required |\n| `JWT_SECRET` | a random string of 32 characters |\n\n    docker run -e MYSQL_ROOT_PASSWORD=my-secret-pw -d mysql:tag\n")},
		{"usr/share/man/text/«word».1", of(".TH «Word» 1\n.SH NAME\n«word» \\- «say:6»\n.SH OPTIONS\n", 4, 12, ".TP\n.BR \\-\\-password =\\fIPASSWORD\\fR\n«say:12».\n.TP\n.B \\-\\-token-file\n«say:12».\n", "")},
		{"usr/share/locale/de/«word».po", of("msgid \"\"\nmsgstr \"Content-Type: text/plain; charset=UTF-8\\n\"\n\n", 5, 20, "#: src/«word».c:«digits:3»\nmsgid \"Enter the password for «word»: \"\nmsgstr \"Geben Sie das Passwort für «word» ein: \"\n\nmsgid \"secret key\"\nmsgstr \"geheimer Schlüssel\"\n\n", "")},
		{"srv/«word»/locales/«word»/common.json", of("{\n", 5, 20, "  \"«word».password\": \"Mot de passe\",\n  \"«word».token.invalid\": \"Das Token für «Word» ist ungültig oder abgelaufen\",\n  \"«word»_secret\": \"Geheimnis\",\n  \"password_«word»\": \"Passwort-zurücksetzen\",\n", "  \"apiKey\": \"API-Schlüssel\"\n}\n")},
		{"srv/«word»/i18n/messages_zh_«digits:3».properties", of("", 5, 20, "login.password=\\u5bc6\\u7801\nuser.«word».token=\\u4ee4\\u724c\\u65e0\\u6548\nerror.secret.«word»=\\u5bc6\\u94a5\\u4e0d\\u80fd\\u4e3a\\u7a7a\n", "")},
		{"srv/«word»/i18n/messages_fr_«digits:3».properties", of("", 5, 20, "password.label.«word»=Mot de passe oublié\npassword.hint=Minimum-8-caractères\ntoken.expired=Votre jeton a expiré\napi_key.«word»=Clé-API\n", "")},
		{"srv/«word»/openapi.yaml", of("openapi: 3.0.0\ninfo:\n  title: «Word»\npaths: {}\ncomponents:\n  schemas:\n", 3, 12, "    «Word»Login:\n      type: object\n      properties:\n        password:\n          type: string\n          format: password\n          example: pa$$word\n        access_token:\n          type: string\n          description: Bearer token of the «word»\n        id:\n          type: string\n          format: uuid\n          example: «uuid»\n", "")},
		{"srv/«word»/schema-«digits:3».json", of("{\n  \"$schema\": \"http://json-schema.org/draft-07/schema#\",\n  \"properties\": {\n", 3, 12, "    \"«word»Password\": {\"type\": \"string\", \"minLength\": 8, \"writeOnly\": true},\n    \"clientSecret\": {\"$ref\": \"#/definitions/«word»Secret\"},\n", "    \"token\": {\"type\": \"string\"}\n  }\n}\n")},
		{"srv/«word»/res/values-es/strings-«digits:3».xml", of("<resources>\n", 3, 10, "  <string name=\"password_«word»\">Contraseña</string>\n  <string name=\"«word»_token\">Identificador de «word»</string>\n", "</resources>\n")},
		{"srv/«word»/Resources/Strings.fr-«digits:3».resx", of("<root>\n", 3, 10, "  <data name=\"«Word»Password\" xml:space=\"preserve\"><value>Saisissez votre mot de passe</value></data>\n", "</root>\n")},
		{"srv/«word»/xsd/«word»-«digits:2».xsd", of("<xs:schema xmlns:xs=\"http://www.w3.org/2001/XMLSchema\">\n", 3, 10, "  <xs:element name=\"«word»Password\" type=\"xs:string\" default=\"\"/>\n  <xs:attribute name=\"secretKey\" type=\"xs:base64Binary\"/>\n", "</xs:schema>\n")},
		{"srv/«word»/vendor/github.com/«word»/«word»/auth_test.go", of("package «word»\n\n", 2, 6, "func Test«Word»«Word»(t *testing.T) {\n\tc := Config{Username: \"user\", Password: \"password123\", Token: \"test-token\"}\n\tif c.Hash() != \"«hex:64»\" {\n\t\tt.Fatal(c)\n\t}\n}\n\n", "")},
		{"srv/«word»/CHANGELOG.md", of("# Changelog\n\n", 5, 25, "- «say:9» ([«hex:7»](https://github.com/«word»/«word»/commit/«hex:40»)); the token is no longer logged\n", "")},
		{"srv/«word»/public/index.html", text("<!doctype html>\n<html>\n<head>\n<script src=\"/«word».js\" integrity=\"sha384-«b64:48»\" crossorigin=\"anonymous\" nonce=\"«b64:16»\"></script>\n<meta name=\"csrf-token\" content=\"\">\n</head>\n<body><form><input type=\"password\" name=\"password\" id=\"password-«word»\" placeholder=\"Password\"></form></body>\n</html>\n")},
		{"srv/«word»/cassettes/«word».yml", of("http_interactions:\n", 2, 6, "- request:\n    method: get\n    uri: https://api.«word».org/«word»\n    headers:\n      Authorization:\n      - token <GITHUB_TOKEN>\n  response:\n    headers:\n      Etag:\n      - W/\"«hex:32»\"\n      X-Request-Id:\n      - «uuid»\n", "")},
		{"usr/share/«word»/«word»-«digits:2».csv", of("id,name,key,hash\n", 10, 60, "«digits:6»,«word» «word»,«word»_«digits:4»,«hex:40»\n", "")},
		{"usr/share/doc/«word»/copyright", of("Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n\n", 2, 10, "Files: src/«word»/*\nCopyright: 20«digits:2» «Word» «Word» <«word»@«word».org>\nLicense: MIT\n «say:30»\n\n", "")},
		{"usr/share/«word»/licence-«digits:3».txt", of("", 5, 20, "«say:40». «say:30».\n\n", "")},
	}
}

// blobs are what is no text, or only just.
func blobs() []filler {
	zipped := func(m *mint) []byte {
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		_, err := fmt.Fprint(z, m.lines(40, "«say:20» password token\n"))
		m.must(err)
		m.must(z.Close())
		return b.Bytes()
	}
	return []filler{
		{"srv/«word»/public/css/«word».css", of("", 5, 30, ".icon-«word»{background:url(data:image/png;base64,iVBORw0KGgo«b64:300»)}\n.password-«word»{color:#«hex:6»}\n", "")},
		{"srv/«word»/public/img/«word».svg", of("<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 24 24\">\n", 3, 15, "<path d=\"M«digits:2».«digits:3» «digits:1».«digits:2»c-.«digits:3»-.«digits:3»-1.«digits:2»z\" id=\"key-«word»\"/>\n", "</svg>\n")},
		{"srv/«word»/public/js/«word».js.map", of("{\"version\":3,\"sources\":[\"webpack:///./src/«word»/token.js\"],\"names\":[\"password\",\"apiKey\",\"secret\"],\"mappings\":\"", 20, 80, "AA«letters:1»A,SAAS«letters:4»,CAAC;«letters:6»,", "\"}\n")},
		{"usr/share/fonts-css/«word».css", text("@font-face{font-family:«Word»;src:url(data:font/woff2;base64,d09GMgAB«b64:2400») format('woff2')}\n")},
		{"usr/lib/x86_64-linux-gnu/lib«word».so.«digits:1»", func(m *mint) []byte {
			return []byte("\x7fELF\x02\x01\x01\x00" + string(m.bytes(2000)) + m.fill("\x00password\x00secret_key\x00GLIBC_2.34\x00/etc/«word»/token\x00") + string(m.bytes(2000)) + m.fill("\x00«hex:40»\x00"))
		}},
		{"srv/«word»/public/img/«word».png", func(m *mint) []byte { return append([]byte("\x89PNG\r\n\x1a\n"), m.bytes(3000)...) }},
		{"usr/share/man/man1/«word».1.gz", zipped},
		{"opt/«word»/lib/«word»-1.«digits:1».jar", func(m *mint) []byte {
			return zipOf(m, "META-INF/MANIFEST.MF", m.lines(10, "Name: org/«word»/Password.class\nSHA-256-Digest: «b64:32»\n\n"), "default.properties", m.fill("«word».password=\n«word».token=${token}\n"))
		}},
		{"srv/«word»/notebooks/«word».ipynb", text("{\"cells\":[{\"cell_type\":\"code\",\"id\":\"«hex:8»\",\"outputs\":[{\"data\":{\"image/png\":\"iVBORw0KGgo«b64:1800»\"}}],\"source\":[\"token = getpass('Token: ')\\n\"]}]}\n")},
		{"srv/«word»/test/fixtures/«word».key", func(m *mint) []byte {
			return []byte("-----BEGIN RSA PRIVATE KEY" + "-----\nthis is a placeholder\n-----END RSA PRIVATE KEY-----\n")
		}},
		{"usr/lib/node_modules/«word»/test/fixtures/«word»-key.pem", func(m *mint) []byte {
			return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: append([]byte{0x30, 0x82, 0x04, 0xbe, 0x02, 0x01, 0x00}, m.bytes(1210)...)})
		}},
		{"usr/share/«word»/words-«digits:3».txt", func(m *mint) []byte { return []byte(strings.ReplaceAll(m.sentence(400), " ", "\n")) }},
		{"usr/share/mime-text/«word»-«digits:3».pem.txt", func(m *mint) []byte {
			return []byte("Subject key: " + m.of("0123456789ABCDEF", 40) + "\n" + m.lines(20, "    «hex:2»:«hex:2»:«hex:2»:«hex:2»:«hex:2»:«hex:2»:«hex:2»:«hex:2»:«hex:2»:\n"))
		}},
	}
}
