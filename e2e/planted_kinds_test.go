package e2e

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	endian "encoding/binary"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"unicode/utf16"
)

// kinds are the credentials of the set. A kind stands alone in its file wherever
// real files have it alone, so that another rule's finding does not hide a gap.
func kinds() []kind {
	var all []kind
	all = append(all, clientFiles()...)
	all = append(all, frameworks()...)
	all = append(all, deployment()...)
	all = append(all, servers()...)
	all = append(all, connections()...)
	all = append(all, keyFiles()...)
	all = append(all, clouds()...)
	all = append(all, services()...)
	all = append(all, china()...)
	return append(all, disguises()...)
}

// clientFiles are what tools keep in a home folder.
func clientFiles() []kind {
	return []kind{
		{"docker auths", "root/.docker/config.json", text("{\n\t\"auths\": {\n\t\t\"registry.«word».io\": {\n\t\t\t\"auth\": \"«basic»\"\n\t\t}\n\t}\n}")},
		{"containers auth.json", "run/containers/0/auth.json", text(`{"auths":{"quay.io/«word»":{"auth":"«basic»"}}}`)},
		{"kubeconfig token", "root/.kube/config", text("apiVersion: v1\nkind: Config\nclusters:\n- cluster:\n    server: https://10.0.4.12:6443\n  name: «word»\ncontexts:\n- context:\n    cluster: «word»\n    user: deployer\n  name: main\ncurrent-context: main\nusers:\n- name: deployer\n  user:\n    token: «jwt»\n")},
		{"kubeconfig opaque token", "home/ci/.kube/config", text("apiVersion: v1\nkind: Config\nusers:\n- name: admin\n  user:\n    token: «key:48»\n")},
		{"kubeconfig client key", "etc/kubernetes/admin.conf", func(m *mint) []byte {
			der := base64.StdEncoding.EncodeToString(rsaKey(m, "RSA PRIVATE KEY"))
			return []byte(m.fill("apiVersion: v1\nkind: Config\nusers:\n- name: kubernetes-admin\n  user:\n    client-certificate-data: «b64:700»\n    client-key-data: ") + der + "\n")
		}},
		{"netrc", "root/.netrc", text("machine git.«word».org\n  login «user»\n  password «pw»\n")},
		{"netrc in a line", "home/builder/.netrc", text("machine artifacts.«word».net login «user» password «urlpw»\n")},
		{"pgpass", "root/.pgpass", text("# hostname:port:database:username:password\n«host»:5432:«word»:«user»:«urlpw»\n")},
		{"my.cnf", "root/.my.cnf", text("[client]\nhost=«host»\nuser=«user»\npassword=«pw»\n")},
		{"npmrc uuid token", "root/.npmrc", text("registry=https://npm.«word».io/\n//npm.«word».io/:_authToken=«uuid»\nalways-auth=true\n")},
		{"npmrc npm token", "srv/«app»/.npmrc", text("//npm.example.org/:_authToken=npm_«checked:30»\n")},
		{"npmrc _auth", "home/node/.npmrc", text("@«word»:registry=https://nexus.«word».org/repository/npm/\n_auth=«basic»\nemail=ci@«word».org\n")},
		{"yarnrc.yml", "srv/«app»/.yarnrc.yml", text("nodeLinker: node-modules\nnpmRegistries:\n  \"https://npm.«word».io\":\n    npmAlwaysAuth: true\n    npmAuthToken: \"«key:40»\"\n")},
		{"pypirc password", "root/.pypirc", text("[distutils]\nindex-servers =\n    «word»\n\n[«word»]\nrepository = https://pypi.«word».io/\nusername = «user»\npassword = «pw»\n")},
		{"PyPI token", "home/build/.pypirc", text("[pypi]\nusername = __token__\npassword = pypi-AgEIcHlwaS5vcmc«url64:156»\n")},
		{"pip.conf", "etc/pip.conf", text("[global]\nindex-url = https://«user»:«urlpw»@pypi.«word».net/simple\ntrusted-host = pypi.«word».net\n")},
		{"git-credentials", "root/.git-credentials", text("https://«user»:«urlpw»@git.«word».org\n")},
		{"git remote", "srv/«app»/.git/config", text("[core]\n\trepositoryformatversion = 0\n\tbare = false\n[remote \"origin\"]\n\turl = https://deploy:«urlpw»@git.«word».io/«word»/«word».git\n\tfetch = +refs/heads/*:refs/remotes/origin/*\n")},
		{"gh hosts.yml", "root/.config/gh/hosts.yml", text("github.com:\n    user: «word»\n    oauth_token: gho_«checked:30»\n    git_protocol: https\n")},
		{"Maven settings.xml", "root/.m2/settings.xml", text("<settings xmlns=\"http://maven.apache.org/SETTINGS/1.0.0\">\n  <servers>\n    <server>\n      <id>«word»-releases</id>\n      <username>«user»</username>\n      <password>«pw»</password>\n    </server>\n  </servers>\n</settings>\n")},
		{"gradle.properties", "root/.gradle/gradle.properties", text("org.gradle.daemon=false\nnexusUsername=«user»\nnexusPassword=«pw»\n")},
		{"gradle signing", "srv/«app»/gradle.properties", text("org.gradle.jvmargs=-Xmx2g\nsigning.keyId=«HEX:8»\nsigning.password=«pw»\n")},
		{"NuGet.Config", "root/.nuget/NuGet/NuGet.Config", text("<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<configuration>\n  <packageSourceCredentials>\n    <«Word»>\n      <add key=\"Username\" value=\"«user»\" />\n      <add key=\"ClearTextPassword\" value=\"«urlpw»\" />\n    </«Word»>\n  </packageSourceCredentials>\n</configuration>\n")},
		{"composer auth.json", "root/.composer/auth.json", text("{\n    \"http-basic\": {\n        \"repo.«word».org\": {\n            \"username\": \"«user»\",\n            \"password\": \"«key:32»\"\n        }\n    }\n}\n")},
		{"cargo credentials", "usr/local/cargo/credentials.toml", text("[registry]\ntoken = \"cio«key:32»\"\n")},
		{"RubyGems credentials", "root/.gem/credentials", text("---\n:rubygems_api_key: rubygems_«hexkey:48»\n")},
		{"bundle config", "usr/local/bundle/config", text("---\nBUNDLE_PATH: \"/usr/local/bundle\"\nBUNDLE_GEMS__«Word»__COM: \"«user»:«urlpw»\"\n")},
		{"helm repositories", "root/.config/helm/repositories.yaml", text("apiVersion: \"\"\nrepositories:\n- name: «word»\n  url: https://charts.«word».io\n  username: «user»\n  password: «pw»\n")},
		{"s3cfg", "root/.s3cfg", text("[default]\naccess_key = AKIA«aws»\nsecret_key = «key:40»\nbucket_location = eu-west-1\n")},
		{"SVN auth", "root/.subversion/auth/svn.simple/«hex:32»", text("K 8\npasstype\nV 6\nsimple\nK 8\npassword\nV 14\nQ«key:13»\nK 15\nsvn:realmstring\nV 34\n<https://svn.«word».org:443> Code\nEND\n")},
		{"shell history", "root/.bash_history", text("cd /srv\nls -la\nmysql -h «host» -u root -p'«pw»' «word»\nexit\n")},
		{"curl history", "home/ubuntu/.zsh_history", text(": 1700000000:0;cd /opt\n: 1700000021:0;curl -u «user»:«urlpw» https://nexus.«word».io/repository/raw/«word».tgz -O\n")},
		{"snowsql config", "root/.snowsql/config", text("[connections]\naccountname = «word».eu-central-1\nusername = «user»\npassword = «pw»\n\n[options]\nauto_completion = True\n")},
		{"databricks cfg", "root/.databrickscfg", text("[DEFAULT]\nhost = https://adb-«digits:16».7.azuredatabricks.net\ntoken = dapi«hexkey:32»-2\n")},
		{"terraform cloud", "root/.terraformrc", text("credentials \"app.terraform.io\" {\n  token = \"«key:14».atlasv1.«key:67»\"\n}\n")},
		{"vault-token", "root/.vault-token", text("hvs.CAESI«url64:92»\n")},
		{"AWS credentials", "root/.aws/credentials", text("[default]\naws_access_key_id = AKIA«aws»\naws_secret_access_key = «key:40»\n")},
	}
}

// frameworks are the configuration of applications.
func frameworks() []kind {
	return []kind{
		{"Laravel APP_KEY", "srv/«app»/.env", text("APP_NAME=«Word»\nAPP_ENV=production\nAPP_KEY=base64:«b64key:32»\nAPP_DEBUG=false\nAPP_URL=https://«word».io\n\nLOG_CHANNEL=stack\n")},
		{"Laravel DB_PASSWORD", "srv/«app»/.env.production", text("DB_CONNECTION=mysql\nDB_HOST=«host»\nDB_PORT=3306\nDB_DATABASE=«word»\nDB_USERNAME=«user»\nDB_PASSWORD=\"«pw»\"\n")},
		{"Rails database.yml", "srv/«app»/config/database.yml", text("production:\n  adapter: postgresql\n  encoding: unicode\n  host: «host»\n  pool: 5\n  database: «word»_production\n  username: «user»\n  password: «pw»\n")},
		{"Rails master.key", "srv/«app»/config/master.key", text("«hexkey:32»")},
		{"Rails secrets.yml", "srv/«app»/config/secrets.yml", text("production:\n  secret_key_base: «hexkey:128»\n")},
		{"Rails secret_token.rb", "srv/«app»/config/initializers/secret_token.rb", text("# Be sure to restart your server when you modify this file.\n«Word»::Application.config.secret_key_base = '«hexkey:128»'\n")},
		{"Django SECRET_KEY", "srv/«app»/«word»/settings.py", func(m *mint) []byte {
			return []byte("import os\nfrom pathlib import Path\n\nBASE_DIR = Path(__file__).resolve().parent.parent\n\n# SECURITY WARNING: keep the secret key used in production secret!\nSECRET_KEY = '" +
				m.secret(m.of(lower+digits+"!@#$%^&*(-_=+)", 50)) + "'\n\nDEBUG = False\n\nALLOWED_HOSTS = ['*']\n")
		}},
		{"Django DATABASES", "srv/«app»/«word»/production.py", text("from .base import *\n\nDATABASES = {\n    'default': {\n        'ENGINE': 'django.db.backends.postgresql',\n        'NAME': '«word»',\n        'USER': '«user»',\n        'PASSWORD': '«pw»',\n        'HOST': '«host»',\n        'PORT': '5432',\n    }\n}\n")},
		{"Django email", "srv/«app»/mailconf.py", text("EMAIL_HOST = 'smtp.«word».net'\nEMAIL_PORT = 587\nEMAIL_HOST_USER = 'noreply@«word».net'\nEMAIL_HOST_PASSWORD = '«pw»'\nEMAIL_USE_TLS = True\n")},
		{"Flask SECRET_KEY", "srv/«app»/config.py", text("class ProductionConfig(Config):\n    DEBUG = False\n    SECRET_KEY = b'\\x9f\\xe1\\x02«key:16»\\xd7'\n    SQLALCHEMY_TRACK_MODIFICATIONS = False\n")},
		{"Flask app.secret_key", "srv/«app»/app.py", text("from flask import Flask\n\napp = Flask(__name__)\napp.secret_key = '«hexkey:48»'\n\n\n@app.route('/')\ndef index():\n    return 'ok'\n")},
		{"Node JWT_SECRET", "srv/«app»/.env", text("NODE_ENV=production\nPORT=3000\nJWT_SECRET=«key:44»\n")},
		{"Node config json", "srv/«app»/config/production.json", text("{\n  \"port\": 8080,\n  \"db\": {\n    \"host\": \"«host»\",\n    \"user\": \"«user»\",\n    \"password\": \"«pw»\",\n    \"name\": \"«word»\"\n  }\n}\n")},
		{"Node session secret", "srv/«app»/server.js", text("const express = require('express');\nconst session = require('express-session');\nconst app = express();\n\napp.use(session({\n  secret: '«key:28»',\n  resave: false,\n  saveUninitialized: true,\n}));\n\napp.listen(3000);\n")},
		{"Spring application.yml", "opt/«app»/config/application.yml", text("server:\n  port: 8080\nspring:\n  datasource:\n    url: jdbc:postgresql://«host»:5432/«word»\n    username: «user»\n    password: «pw»\n")},
		{"Spring application.properties", "opt/«app»/application-prod.properties", text("server.port=8443\nspring.datasource.url=jdbc:mysql://«host»:3306/«word»\nspring.datasource.username=«user»\nspring.datasource.password=«pw»\n")},
		{"Spring keystore password", "opt/«app»/application.properties", text("server.ssl.key-store-type=PKCS12\nserver.ssl.key-store=classpath:«word».p12\nserver.ssl.key-store-password=«pw»\n")},
		{"appsettings.json", "srv/«app»/appsettings.Production.json", text("{\n  \"Logging\": { \"LogLevel\": { \"Default\": \"Warning\" } },\n  \"ConnectionStrings\": {\n    \"DefaultConnection\": \"Server=«host»;Database=«Word»;User Id=«user»;Password=«urlpw»;TrustServerCertificate=True\"\n  }\n}\n")},
		{"appsettings JWT key", "srv/«app»/appsettings.json", text("{\n  \"Jwt\": {\n    \"Issuer\": \"https://«word».io\",\n    \"SecretKey\": \"«key:48»\"\n  }\n}\n")},
		{"web.config connection", "srv/«app»/web.config", text("<?xml version=\"1.0\"?>\n<configuration>\n  <connectionStrings>\n    <add name=\"Main\" connectionString=\"Data Source=«host»;Initial Catalog=«Word»;Persist Security Info=True;User ID=«user»;Pwd=«urlpw»\" providerName=\"System.Data.SqlClient\" />\n  </connectionStrings>\n</configuration>\n")},
		{"web.config machineKey", "srv/«app»/Web.config", text("<configuration>\n  <system.web>\n    <machineKey validationKey=\"«HEX:128»\" decryptionKey=\"«HEX:64»\" validation=\"SHA1\" decryption=\"AES\" />\n  </system.web>\n</configuration>\n")},
		{"wp-config DB_PASSWORD", "srv/«app»/wp-config.php", text("<?php\ndefine( 'DB_NAME', '«word»' );\ndefine( 'DB_USER', '«user»' );\ndefine( 'DB_PASSWORD', '«pw»' );\ndefine( 'DB_HOST', '«host»' );\n$table_prefix = 'wp_';\nrequire_once ABSPATH . 'wp-settings.php';\n")},
		{"wp-config salts", "srv/«app»/wp-salt.php", func(m *mint) []byte {
			var b strings.Builder
			b.WriteString("<?php\n")
			for _, name := range []string{"AUTH_KEY", "SECURE_AUTH_KEY", "LOGGED_IN_KEY", "NONCE_KEY"} {
				fmt.Fprintf(&b, "define('%s', '%s');\n", name, m.secret(m.of(base62+"!@#$%^&*()-_[]{}<>~`+=,.;:/?| ", 64)))
			}
			return []byte(b.String())
		}},
		{"Joomla configuration.php", "srv/«app»/configuration.php", text("<?php\nclass JConfig {\n\tpublic $offline = '0';\n\tpublic $dbtype = 'mysqli';\n\tpublic $host = '«host»';\n\tpublic $user = '«user»';\n\tpublic $password = '«pw»';\n\tpublic $db = '«word»';\n}\n")},
		{"Drupal settings.php", "srv/«app»/sites/default/settings.php", text("<?php\n$databases['default']['default'] = array (\n  'database' => '«word»',\n  'username' => '«user»',\n  'password' => '«pw»',\n  'host' => '«host»',\n  'driver' => 'mysql',\n);\n")},
		{"Drupal hash_salt", "srv/«app»/sites/default/settings.local.php", text("<?php\n$settings['hash_salt'] = '«url64:74»';\n")},
		{"Magento env.php", "srv/«app»/app/etc/env.php", text("<?php\nreturn [\n    'backend' => ['frontName' => 'admin_«lower:6»'],\n    'crypt' => [\n        'key' => '«hexkey:32»'\n    ],\n];\n")},
		{"Symfony APP_SECRET", "srv/«app»/.env.local", text("APP_ENV=prod\nAPP_SECRET=«hexkey:32»\n")},
		{"Phoenix secret_key_base", "srv/«app»/config/prod.secret.exs", text("import Config\n\nconfig :«word», «Word»Web.Endpoint,\n  http: [port: 4000],\n  secret_key_base: \"«b64key:48»\"\n")},
		{"Play secret", "opt/«app»/conf/application.conf", text("play.http.secret.key=\"«key:64»\"\nplay.filters.hosts.allowed = [\".\"]\n")},
		{"Nextcloud config.php", "srv/«app»/config/config.php", text("<?php\n$CONFIG = array (\n  'instanceid' => 'oc«lower:10»',\n  'dbtype' => 'mysql',\n  'dbhost' => '«host»',\n  'dbuser' => '«user»',\n  'dbpassword' => '«pw»',\n);\n")},
		{"MediaWiki LocalSettings", "srv/«app»/LocalSettings.php", text("<?php\n$wgSitename = \"«Word»\";\n$wgDBserver = \"«host»\";\n$wgDBuser = \"«user»\";\n$wgDBpassword = \"«urlpw»\";\n")},
		{"Moodle config.php", "srv/«app»/public/config.php", text("<?php\n$CFG->dbtype    = 'pgsql';\n$CFG->dbhost    = '«host»';\n$CFG->dbuser    = '«user»';\n$CFG->dbpass    = '«pw»';\n")},
		{"Tomcat users", "opt/«app»/conf/tomcat-users.xml", text("<tomcat-users>\n  <role rolename=\"manager-gui\"/>\n  <user username=\"«user»\" password=\"«urlpw»\" roles=\"manager-gui\"/>\n</tomcat-users>\n")},
		{"Tomcat context", "opt/«app»/conf/context.xml", text("<Context>\n  <Resource name=\"jdbc/«word»\" type=\"javax.sql.DataSource\" driverClassName=\"org.postgresql.Driver\"\n    url=\"jdbc:postgresql://«host»/«word»\" username=\"«user»\" password=\"«urlpw»\" maxTotal=\"20\"/>\n</Context>\n")},
		{"hibernate.cfg.xml", "opt/«app»/classes/hibernate.cfg.xml", text("<hibernate-configuration>\n  <session-factory>\n    <property name=\"hibernate.connection.username\">«user»</property>\n    <property name=\"hibernate.connection.password\">«urlpw»</property>\n  </session-factory>\n</hibernate-configuration>\n")},
		{"Go toml config", "opt/«app»/config.toml", text("[server]\nlisten = \":8080\"\n\n[database]\nhost = \"«host»\"\nuser = \"«user»\"\npassword = \"«pw»\"\n")},
		{"PHP code", "srv/«app»/db.php", text("<?php\n$mysqli = new mysqli('«host»', '«user»', '«pw»', '«word»');\nif ($mysqli->connect_errno) {\n    die('no connection');\n}\n")},
		{"Python code", "srv/«app»/sync.py", text("import psycopg2\n\nconn = psycopg2.connect(host='«host»', dbname='«word»', user='«user»', password='«pw»')\ncur = conn.cursor()\n")},
		{"Java code", "srv/«app»/src/Main.java", text("public class Main {\n    private static final String DB_USER = \"«user»\";\n    private static final String DB_PASSWORD = \"«pw»\";\n}\n")},
		{"bearer in code", "srv/«app»/client.js", text("const res = await fetch('https://api.«word».io/v1/items', {\n  headers: { 'Authorization': 'Bearer «key:40»' },\n});\n")},
	}
}

// deployment is what puts containers in place.
func deployment() []kind {
	return []kind{
		{"tfvars", "srv/«app»/prod.tfvars", text("region      = \"eu-west-1\"\ndb_username = \"«user»\"\ndb_password = \"«pw»\"\n")},
		{"tfstate", "srv/«app»/terraform.tfstate", text("{\n  \"version\": 4,\n  \"resources\": [\n    {\n      \"type\": \"aws_db_instance\",\n      \"instances\": [\n        {\n          \"attributes\": {\n            \"engine\": \"postgres\",\n            \"username\": \"«user»\",\n            \"password\": \"«pw»\",\n            \"port\": 5432\n          }\n        }\n      ]\n    }\n  ]\n}\n")},
		{"Ansible vars", "srv/«app»/group_vars/all.yml", text("---\nansible_user: deploy\nansible_become_pass: \"«pw»\"\nntp_server: ntp.«word».org\n")},
		{"Ansible inventory", "srv/«app»/inventory/hosts", text("[web]\n10.2.0.11 ansible_user=«user» ansible_ssh_pass=«urlpw»\n")},
		{"Helm values", "srv/«app»/chart/values.yaml", text("replicaCount: 2\npostgresql:\n  auth:\n    username: «user»\n    password: «pw»\n    database: «word»\n")},
		{"k8s Secret stringData", "srv/«app»/k8s/secret.yaml", text("apiVersion: v1\nkind: Secret\nmetadata:\n  name: «word»\ntype: Opaque\nstringData:\n  api-key: «key:36»\n")},
		{"k8s Secret data", "srv/«app»/k8s/secrets.yml", func(m *mint) []byte {
			return []byte(m.fill("apiVersion: v1\nkind: Secret\nmetadata:\n  name: «word»-db\n  namespace: prod\ntype: Opaque\ndata:\n  username: ") +
				base64.StdEncoding.EncodeToString([]byte(m.fill("«user»"))) + "\n  password: " + base64.StdEncoding.EncodeToString([]byte(m.fill("«pw»"))) + "\n")
		}},
		{"k8s dockerconfigjson", "srv/«app»/manifests/pull-secret.yaml", func(m *mint) []byte {
			auths := m.fill(`{"auths":{"registry.«word».io":{"username":"«user»","password":"«urlpw»","auth":"«basic»"}}}`)
			return []byte("apiVersion: v1\nkind: Secret\nmetadata:\n  name: regcred\ntype: kubernetes.io/dockerconfigjson\ndata:\n  .dockerconfigjson: " + base64.StdEncoding.EncodeToString([]byte(auths)) + "\n")
		}},
		{"k8s env value", "srv/«app»/k8s/deployment.yaml", text("apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: «word»\nspec:\n  template:\n    spec:\n      containers:\n      - name: api\n        image: «word»/api:1.4.2\n        env:\n        - name: DB_PASSWORD\n          value: \"«pw»\"\n")},
		{"docker-compose map", "srv/«app»/docker-compose.yml", text("services:\n  db:\n    image: postgres:16\n    environment:\n      POSTGRES_USER: «user»\n      POSTGRES_PASSWORD: «pw»\n")},
		{"docker-compose list", "srv/«app»/compose.yaml", text("services:\n  db:\n    image: mysql:8\n    environment:\n      - MYSQL_DATABASE=«word»\n      - MYSQL_ROOT_PASSWORD=«pw»\n")},
		{"systemd Environment", "etc/systemd/system/«word».service", text("[Unit]\nDescription=«Word» worker\n\n[Service]\nEnvironment=\"DB_PASSWORD=«pw»\"\nExecStart=/usr/local/bin/«word»\n\n[Install]\nWantedBy=multi-user.target\n")},
		{"supervisord", "etc/supervisor/conf.d/«word».conf", text("[program:«word»]\ncommand=/usr/bin/python3 /srv/worker.py\nenvironment=QUEUE=\"default\",REDIS_PASSWORD=\"«urlpw»\"\nautostart=true\n")},
		{"crontab curl -u", "etc/cron.d/«word»", text("# m h dom mon dow user command\n*/5 * * * * root curl -s -u «user»:«urlpw» https://api.«word».net/v1/ping >/dev/null 2>&1\n")},
		{"crontab mysqldump", "etc/cron.d/backup-«word»", text("30 2 * * * root mysqldump -h «host» -u backup -p«urlpw» --all-databases | gzip > /var/backups/all.sql.gz\n")},
		{"shell export", "usr/local/bin/«word»-entry.sh", text("#!/bin/sh\nset -e\nexport DB_HOST=«host»\nexport DB_PASSWORD='«pw»'\nexec \"$@\"\n")},
		{"sshpass", "usr/local/bin/«word»-sync", text("#!/bin/bash\nsshpass -p '«pw»' rsync -az /data/ «user»@«host»:/data/\n")},
		{"PGPASSWORD", "usr/local/bin/«word»-dump.sh", text("#!/bin/sh\nPGPASSWORD=«urlpw» pg_dump -h «host» -U «user» «word» > /tmp/dump.sql\n")},
		{"Dockerfile ENV", "srv/«app»/Dockerfile", text("FROM python:3.12-slim\nWORKDIR /app\nENV API_SECRET=«key:36»\nCOPY . .\nCMD [\"python\", \"app.py\"]\n")},
		{"Dockerfile ARG", "root/buildinfo/Dockerfile-«word»-1.4", text("FROM node:20\nARG GITHUB_TOKEN=ghp_«checked:30»\nRUN npm ci\n")},
		{"docker login", "srv/«app»/deploy.sh", text("#!/bin/sh\ndocker login -u «user» -p «urlpw» registry.«word».io\ndocker push registry.«word».io/app\n")},
		{"chpasswd", "srv/«app»/setup.sh", text("#!/bin/bash\nuseradd -m «word»\necho \"«word»:«urlpw»\" | chpasswd\n")},
		{"kickstart rootpw", "root/anaconda-ks.cfg", text("lang en_US.UTF-8\nrootpw --iscrypted $6$«alnum:16»$«sha512crypt»\ntimezone UTC\n")},
		{"Jenkins config", "var/jenkins_home/jobs/«word»/config.xml", text("<project>\n  <properties/>\n  <builders>\n    <hudson.tasks.Shell>\n      <command>export SONAR_TOKEN=squ_«hexkey:40»\nmvn sonar:sonar</command>\n    </hudson.tasks.Shell>\n  </builders>\n</project>\n")},
		{"VS Code REST file", "srv/«app»/requests.http", text("GET https://api.«word».io/v2/orders\nAuthorization: Basic «basic»\nAccept: application/json\n")},
		{"env file JSON", "srv/«app»/env.json", text("{\"LOG_LEVEL\":\"info\",\"API_KEY\":\"«key:40»\",\"REGION\":\"eu\"}\n")},
		{"proxy environment", "etc/profile.d/proxy-«word».sh", text("export http_proxy=http://«user»:«urlpw»@proxy.«word».internal:3128\nexport no_proxy=localhost\n")},
		{"apt proxy", "etc/apt/apt.conf.d/90«word»", text("Acquire::http::Proxy \"http://«user»:«urlpw»@proxy.«word».net:3128/\";\n")},
		{"apt auth.conf", "etc/apt/auth.conf.d/«word».conf", text("machine apt.«word».io/debian\nlogin «user»\npassword «urlpw»\n")},
	}
}

// servers are the configuration of daemons.
func servers() []kind {
	return []kind{
		{"redis.conf", "etc/redis/redis.conf", text("bind 0.0.0.0\nprotected-mode yes\nport 6379\nrequirepass «urlpw»\nappendonly yes\n")},
		{"redis users.acl", "etc/redis/users.acl", text("user default off\nuser «word» on >«urlpw» ~* +@all\n")},
		{"rabbitmq.conf", "etc/rabbitmq/rabbitmq.conf", text("listeners.tcp.default = 5672\ndefault_user = «user»\ndefault_pass = «pw»\n")},
		{"Kafka JAAS", "etc/kafka/kafka_server_jaas.conf", text("KafkaServer {\n  org.apache.kafka.common.security.plain.PlainLoginModule required\n  username=\"«user»\"\n  password=\"«pw»\";\n};\n")},
		{"Kafka sasl.jaas.config", "opt/«app»/consumer.properties", text("bootstrap.servers=«host»:9093\nsecurity.protocol=SASL_SSL\nsasl.mechanism=SCRAM-SHA-512\nsasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required username=\"«user»\" password=\"«pw»\";\n")},
		{"Elasticsearch output", "etc/filebeat/filebeat.yml", text("filebeat.inputs:\n- type: log\n  paths: [/var/log/*.log]\noutput.elasticsearch:\n  hosts: [\"https://«host»:9200\"]\n  username: \"elastic\"\n  password: \"«pw»\"\n")},
		{"Logstash output", "etc/logstash/conf.d/«word».conf", text("output {\n  elasticsearch {\n    hosts => [\"«host»:9200\"]\n    user => \"«user»\"\n    password => \"«pw»\"\n  }\n}\n")},
		{"Prometheus basic_auth", "etc/prometheus/prometheus.yml", text("scrape_configs:\n- job_name: «word»\n  basic_auth:\n    username: «user»\n    password: «pw»\n  static_configs:\n  - targets: ['«host»:9100']\n")},
		{"Grafana admin", "etc/grafana/grafana.ini", text("[server]\nhttp_port = 3000\n\n[security]\nadmin_user = admin\nadmin_password = «pw»\n")},
		{"HAProxy userlist", "etc/haproxy/haproxy.cfg", text("userlist ops\n  user «word» insecure-password «urlpw»\n\nfrontend http\n  bind *:80\n")},
		{"nginx Basic header", "etc/nginx/conf.d/«word».conf", text("server {\n  listen 80;\n  location / {\n    proxy_set_header Authorization \"Basic «basic»\";\n    proxy_pass http://«host»;\n  }\n}\n")},
		{"pgbouncer userlist", "etc/pgbouncer/userlist.txt", text("\"«user»\" \"«urlpw»\"\n")},
		{"LDAP bindpw", "etc/nslcd.conf", text("uri ldap://«host»\nbase dc=«word»,dc=org\nbinddn cn=reader,dc=«word»,dc=org\nbindpw «urlpw»\n")},
		{"sssd authtok", "etc/sssd/sssd.conf", text("[domain/«word»]\nid_provider = ldap\nldap_uri = ldaps://«host»\nldap_default_bind_dn = cn=bind,dc=«word»,dc=net\nldap_default_authtok = «pw»\n")},
		{"OpenLDAP rootpw", "etc/ldap/slapd.conf", text("database mdb\nsuffix \"dc=«word»,dc=org\"\nrootdn \"cn=admin,dc=«word»,dc=org\"\nrootpw «urlpw»\n")},
		{"msmtprc", "root/.msmtprc", text("defaults\nauth on\ntls on\naccount main\nhost smtp.«word».net\nfrom ops@«word».net\nuser ops@«word».net\npassword «urlpw»\n")},
		{"Postfix sasl_passwd", "etc/postfix/sasl_passwd", text("[smtp.«word».net]:587 «user»@«word».net:«urlpw»\n")},
		{"ssmtp", "etc/ssmtp/ssmtp.conf", text("mailhub=smtp.«word».net:587\nAuthUser=«user»@«word».net\nAuthPass=«urlpw»\nUseSTARTTLS=YES\n")},
		{"CIFS credentials", "etc/cifs-credentials", text("username=«user»\npassword=«pw»\ndomain=«Word»\n")},
		{"fstab CIFS", "etc/fstab", text("//«host»/share /mnt/share cifs username=«user»,password=«urlpw»,vers=3.0 0 0\n")},
		{"snmpd user", "etc/snmp/snmpd.conf", text("agentAddress udp:161\ncreateUser «word» SHA \"«urlpw»\" AES \"«urlpw»\"\n")},
		{"RADIUS client", "etc/freeradius/3.0/clients.conf", text("client «word» {\n\tipaddr = 10.1.0.0/16\n\tsecret = «pw»\n}\n")},
		{"PPP chap-secrets", "etc/ppp/chap-secrets", text("# client server secret IP addresses\n«user» * «urlpw» *\n")},
		{"wpa_supplicant", "etc/wpa_supplicant/wpa_supplicant.conf", text("network={\n  ssid=\"«Word»\"\n  psk=\"«urlpw»\"\n}\n")},
		{"IPsec PSK", "etc/ipsec.secrets", text("203.0.113.7 198.51.100.9 : PSK \"«pw»\"\n")},
		{"WireGuard", "etc/wireguard/wg0.conf", text("[Interface]\nAddress = 10.8.0.2/24\nPrivateKey = «b64key:32»\n\n[Peer]\nPublicKey = «b64:32»\nEndpoint = vpn.«word».org:51820\nAllowedIPs = 0.0.0.0/0\n")},
		{"OpenVPN inline key", "etc/openvpn/client.ovpn", func(m *mint) []byte {
			return []byte(m.fill("client\ndev tun\nremote vpn.«word».org 1194\n<key>\n") + string(rsaKey(m, "PRIVATE KEY")) + "</key>\n")
		}},
		{"OpenVPN static key", "etc/openvpn/ta.key", func(m *mint) []byte {
			return []byte("#\n# 2048 bit OpenVPN static key\n#\n-----BEGIN OpenVPN Static key V1" + "-----\n" + m.lines(16, "«hexkey:32»\n") + "-----END OpenVPN Static key V1-----\n")
		}},
		{"Consul encrypt", "etc/consul.d/consul.hcl", text("datacenter = \"dc1\"\ndata_dir = \"/opt/consul\"\nencrypt = \"«b64key:32»\"\n")},
		{"Consul token", "etc/consul.d/acl.hcl", text("acl {\n  enabled = true\n  tokens {\n    agent = \"«uuid»\"\n  }\n}\n")},
		{"Consul environment", "etc/default/consul", text("CONSUL_HTTP_ADDR=127.0.0.1:8500\nCONSUL_HTTP_TOKEN=«uuid»\n")},
		{"Zabbix", "etc/zabbix/zabbix_server.conf", text("LogFile=/var/log/zabbix/zabbix_server.log\nDBHost=«host»\nDBUser=«user»\nDBPassword=«urlpw»\n")},
		{"ProxySQL", "etc/proxysql.cnf", text("admin_variables=\n{\n\tadmin_credentials=\"admin:«urlpw»\"\n}\n")},
		{"Icecast", "etc/icecast2/icecast.xml", text("<icecast>\n  <authentication>\n    <source-password>«urlpw»</source-password>\n    <admin-user>admin</admin-user>\n  </authentication>\n</icecast>\n")},
		{"BIND rndc.key", "etc/bind/rndc.key", text("key \"rndc-key\" {\n\talgorithm hmac-sha256;\n\tsecret \"«b64key:32»\";\n};\n")},
		{"debian.cnf", "etc/mysql/debian.cnf", text("# Automatically generated for Debian scripts. DO NOT TOUCH!\n[client]\nhost     = localhost\nuser     = debian-sys-maint\npassword = «key:16»\nsocket   = /var/run/mysqld/mysqld.sock\n")},
		{"htpasswd apr1", "etc/nginx/.htpasswd", text("«word»:$apr1$«crypt:8»$«crypt:22»\n")},
		{"htpasswd bcrypt", "etc/apache2/.htpasswd", text("«word»:$2y$05$«crypt:53»\n")},
		{"htpasswd SHA", "srv/«app»/htpasswd", text("«word»:{SHA}«b64:20»\n")},
		{"shadow sha512", "etc/shadow", text("root:$6$«alnum:16»$«sha512crypt»:19700:0:99999:7:::\nbin:*:19700:0:99999:7:::\n")},
		{"shadow yescrypt", "etc/shadow-", text("root:*:19700:0:99999:7:::\n«word»:$y$j9T$«crypt:22»$«crypt:43»:19700:0:99999:7:::\n")},
		{"database dump", "var/backups/«word».sql", text("CREATE DATABASE «word»;\nCREATE USER '«user»'@'%' IDENTIFIED BY '«pw»';\nGRANT ALL ON «word».* TO '«user»'@'%';\n")},
		{"ALTER ROLE", "docker-entrypoint-initdb.d/«word».sql", text("CREATE ROLE «user» LOGIN PASSWORD '«pw»';\n")},
	}
}

// connections are addresses with a password.
func connections() []kind {
	env := func(name, url string) func(*mint) []byte { return text("LOG_LEVEL=info\n" + name + "=" + url + "\n") }
	return []kind{
		{"postgres URL", "srv/«app»/.env", env("DATABASE_URL", "postgres://«user»:«urlpw»@«host»:5432/«word»?sslmode=require")},
		{"mysql URL", "srv/«app»/.env", env("DATABASE_URL", "mysql://«user»:«urlpw»@«host»:3306/«word»")},
		{"SQLAlchemy URL", "srv/«app»/alembic.ini", text("[alembic]\nscript_location = migrations\nsqlalchemy.url = postgresql+psycopg2://«user»:«urlpw»@«host»/«word»\n")},
		{"mongodb+srv URL", "srv/«app»/config.js", text("module.exports = {\n  mongo: 'mongodb+srv://«user»:«urlpw»@cluster0.«lower:5».mongodb.net/«word»?retryWrites=true',\n};\n")},
		{"mongodb URL", "srv/«app»/.env", env("MONGO_URI", "mongodb://«user»:«urlpw»@«host»:27017,«host»:27017/«word»?replicaSet=rs0")},
		{"redis URL", "srv/«app»/.env", env("REDIS_URL", "redis://:«urlpw»@«host»:6379/0")},
		{"rediss URL", "srv/«app»/.env", env("CELERY_BROKER_URL", "rediss://default:«urlpw»@«host»:6380")},
		{"amqp URL", "srv/«app»/.env", env("RABBITMQ_URL", "amqp://«user»:«urlpw»@«host»:5672/%2f")},
		{"mssql URL", "srv/«app»/.env", env("SQL_DSN", "sqlserver://«user»:«urlpw»@«host»:1433?database=«word»")},
		{"Go MySQL DSN", "srv/«app»/.env", env("MYSQL_DSN", "«user»:«urlpw»@tcp(«host»:3306)/«word»?parseTime=true")},
		{"libpq DSN", "opt/«app»/conf.yaml", text("listen: :8080\ndsn: \"host=«host» port=5432 user=«user» password=«urlpw» dbname=«word» sslmode=disable\"\n")},
		{"clickhouse URL", "srv/«app»/.env", env("CLICKHOUSE_URL", "clickhouse://«user»:«urlpw»@«host»:9000/«word»")},
		{"ClickHouse users.xml", "etc/clickhouse-server/users.d/«word».xml", text("<clickhouse>\n  <users>\n    <«word»>\n      <password>«urlpw»</password>\n      <profile>default</profile>\n    </«word»>\n  </users>\n</clickhouse>\n")},
		{"elasticsearch URL", "srv/«app»/.env", env("ELASTIC_URL", "https://elastic:«urlpw»@«host»:9200")},
		{"JDBC parameter", "opt/«app»/db.properties", text("driver=com.mysql.cj.jdbc.Driver\nurl=jdbc:mysql://«host»:3306/«word»?user=«user»&password=«urlpw»&useSSL=true\n")},
		{"JDBC Oracle", "opt/«app»/ora.properties", text("url=jdbc:oracle:thin:«user»/«urlpw»@//«host»:1521/ORCL\n")},
		{"JDBC SQL Server", "opt/«app»/mssql.properties", text("db.url=jdbc:sqlserver://«host»:1433;databaseName=«word»;user=«user»;password=«urlpw»;encrypt=true\n")},
		{"ODBC string", "etc/odbc-«word».ini", text("[«word»]\nDriver = FreeTDS\nServer = «host»\nUID = «user»\nPWD = «urlpw»\n")},
		{"SMTP URL", "srv/«app»/.env", env("MAILER_DSN", "smtp://«user»:«urlpw»@smtp.«word».net:587")},
		{"FTP URL", "srv/«app»/fetch.sh", text("#!/bin/sh\nwget -q ftp://«user»:«urlpw»@ftp.«word».org/outgoing/data.zip\n")},
		{"LDAP password", "srv/«app»/ldap.yml", text("ldap:\n  url: ldap://«host»:389\n  bind_dn: cn=admin,dc=«word»,dc=com\n  bind_password: «pw»\n")},
		{"neo4j auth", "srv/«app»/.env", env("NEO4J_AUTH", "neo4j/«urlpw»")},
		{"NATS URL", "srv/«app»/nats.json", text(`{"servers":["nats://«user»:«urlpw»@«host»:4222"]}`)},
		{"MQTT", "opt/«app»/mqtt.yaml", text("mqtt:\n  broker: tcp://«host»:1883\n  username: «user»\n  password: «pw»\n")},
		{"Azure SQL", "srv/«app»/local.settings.json", text("{\n  \"IsEncrypted\": false,\n  \"Values\": {\n    \"SqlConnection\": \"Server=tcp:«word».database.windows.net,1433;Initial Catalog=«word»;User ID=«user»;Password=«urlpw»;Encrypt=True;\"\n  }\n}\n")},
		{"service bus", "srv/«app»/.env", env("SERVICEBUS", "Endpoint=sb://«word».servicebus.windows.net/;SharedAccessKeyName=RootManageSharedAccessKey;SharedAccessKey=«b64key:32»")},
		{"JDBC in XML", "opt/«app»/persistence.xml", text("<persistence>\n  <persistence-unit name=\"«word»\">\n    <properties>\n      <property name=\"javax.persistence.jdbc.user\" value=\"«user»\"/>\n      <property name=\"javax.persistence.jdbc.password\" value=\"«urlpw»\"/>\n    </properties>\n  </persistence-unit>\n</persistence>\n")},
		{"SFTP in JSON", "srv/«app»/.vscode/sftp.json", text("{\n    \"name\": \"«word»\",\n    \"host\": \"«host»\",\n    \"protocol\": \"sftp\",\n    \"username\": \"«user»\",\n    \"password\": \"«pw»\",\n    \"remotePath\": \"/var/www\"\n}\n")},
		{"FileZilla", "root/.config/filezilla/sitemanager.xml", func(m *mint) []byte {
			return []byte(m.fill("<FileZilla3>\n  <Servers>\n    <Server>\n      <Host>«host»</Host>\n      <User>«user»</User>\n      <Pass encoding=\"base64\">") +
				base64.StdEncoding.EncodeToString([]byte(m.fill("«pw»"))) + "</Pass>\n    </Server>\n  </Servers>\n</FileZilla3>\n")
		}},
	}
}

// keyFiles are private keys.
func keyFiles() []kind {
	return []kind{
		{"RSA PKCS#1", "root/.ssh/id_rsa", func(m *mint) []byte { return rsaKey(m, "RSA PRIVATE KEY") }},
		{"RSA PKCS#8", "etc/ssl/private/«word».key", func(m *mint) []byte { return rsaKey(m, "PRIVATE KEY") }},
		{"key after a certificate", "etc/haproxy/certs/«word».pem", func(m *mint) []byte {
			return append(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: m.bytes(900)}), rsaKey(m, "PRIVATE KEY")...)
		}},
		{"EC", "etc/nginx/ssl/«word».key", func(m *mint) []byte {
			key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
			m.must(err)
			der, err := x509.MarshalECPrivateKey(key)
			m.must(err)
			return pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der})
		}},
		{"Ed25519 PKCS#8", "etc/ssl/private/«word»-ed.pem", func(m *mint) []byte {
			der, err := x509.MarshalPKCS8PrivateKey(ed25519.NewKeyFromSeed(m.bytes(32)))
			m.must(err)
			return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
		}},
		{"Ed25519 OpenSSH", "home/deploy/.ssh/id_ed25519", openSSH},
		{"encrypted PKCS#8", "etc/ssl/private/«word».enc.key", func(m *mint) []byte {
			return pem.EncodeToMemory(&pem.Block{Type: "ENCRYPTED PRIVATE KEY", Bytes: encryptedPKCS8(m)})
		}},
		{"encrypted PKCS#1", "root/.ssh/id_rsa_old", encryptedPKCS1},
		{"key in JSON", "srv/«app»/tls.json", func(m *mint) []byte {
			data, err := json.MarshalIndent(map[string]string{"name": m.word(), "key": string(rsaKey(m, "RSA PRIVATE KEY"))}, "", "  ")
			m.must(err)
			return data
		}},
		{"key in YAML", "srv/«app»/certs.yaml", func(m *mint) []byte {
			return []byte("tls:\n  key: |\n    " + strings.ReplaceAll(strings.TrimSpace(string(rsaKey(m, "PRIVATE KEY"))), "\n", "\n    ") + "\n")
		}},
		{"key without line ends", "srv/«app»/.env", func(m *mint) []byte {
			return []byte("PRIVATE_KEY=\"" + strings.ReplaceAll(string(rsaKey(m, "PRIVATE KEY")), "\n", `\n`) + "\"\n")
		}},
		{"JWK", "srv/«app»/jwk.json", text(`{"keys":[{"kty":"EC","crv":"P-256","kid":"«uuid»","x":"«url64:43»","y":"«url64:43»","d":"«url64:43»"}]}`)},
		{"PGP private", "root/release-«word».asc", func(m *mint) []byte {
			body := append([]byte{0x95, 0x03, 0x98, 4}, m.bytes(1200)...)
			return []byte("-----BEGIN PGP PRIVATE KEY BLOCK" + "-----\n\n" + wrap(base64.StdEncoding.EncodeToString(body), 64) + "=" + m.of(base62, 4) + "\n-----END PGP PRIVATE KEY BLOCK-----\n")
		}},
		{"age key", "root/.config/sops/age/keys.txt", func(m *mint) []byte {
			const bech32 = "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L"
			return []byte(m.fill("# created: 2024-03-05T10:11:12Z\n# public key: age1«lower:58»\n") + "AGE-SECRET-" + "KEY-1" + m.secret(m.of(bech32, 58)) + "\n")
		}},
		{"PuTTY PPK", "root/«word».ppk", func(m *mint) []byte {
			return []byte("PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: none\nComment: ed25519-key\nPublic-Lines: 2\n" + wrap(m.fill("«b64:60»"), 64) +
				"Private-Lines: 1\n" + m.fill("«b64key:36»") + "\nPrivate-MAC: " + m.fill("«hex:64»") + "\n")
		}},
		{"PKCS#12", "opt/«app»/«word».p12", pkcs12},
		{"JKS", "opt/«app»/keystore.jks", jks},
		{"minisign key", "root/.minisign/minisign.key", text("untrusted comment: minisign encrypted secret key\nRWRTY0Iy«b64key:150»\n")},
	}
}

// clouds are keys of cloud accounts.
func clouds() []kind {
	env := func(lines string) func(*mint) []byte { return text("LOG_LEVEL=info\n" + lines + "\n") }
	return []kind{
		{"AWS environment", "srv/«app»/.env", env("AWS_ACCESS_KEY_ID=AKIA«aws»\nAWS_SECRET_ACCESS_KEY=«key:40»\nAWS_REGION=eu-west-1")},
		{"AWS secret alone", "srv/«app»/backup.conf", text("bucket = «word»\naws_secret_access_key = «b64key:30»\n")},
		{"AWS in code", "srv/«app»/upload.py", text("import boto3\n\ns3 = boto3.client('s3', aws_access_key_id='AKIA«aws»', aws_secret_access_key='«key:40»')\n")},
		{"GCP service account", "srv/«app»/gcp-key.json", func(m *mint) []byte {
			data, err := json.MarshalIndent(map[string]string{
				"type": "service_account", "project_id": m.word() + "-" + m.of(digits, 6), "private_key_id": m.of(hexa, 40),
				"private_key": string(rsaKey(m, "PRIVATE KEY")), "client_email": m.fill("«word»@«word».iam.gserviceaccount.com"), "client_id": m.of(digits, 21),
			}, "", "  ")
			m.must(err)
			return data
		}},
		{"GCP API key", "srv/«app»/config.json", text(`{"maps":{"apiKey":"AIza«url64:35»"}}`)},
		{"GCP OAuth secret", "srv/«app»/client_secret.json", text(`{"web":{"client_id":"«digits:12»-«lower:32».apps.googleusercontent.com","project_id":"«word»","client_secret":"GOCSPX-«url64:28»"}}`)},
		{"gcloud refresh token", "root/.config/gcloud/application_default_credentials.json", text("{\n  \"client_id\": \"«digits:12»-«lower:32».apps.googleusercontent.com\",\n  \"client_secret\": \"«url64:24»\",\n  \"refresh_token\": \"1//0«url64:100»\",\n  \"type\": \"authorized_user\"\n}\n")},
		{"Azure storage", "srv/«app»/.env", env("AZURE_STORAGE_CONNECTION_STRING=DefaultEndpointsProtocol=https;AccountName=«word»;AccountKey=«b64key:64»;EndpointSuffix=core.windows.net")},
		{"Azure SAS", "srv/«app»/sync.sh", text("#!/bin/sh\nazcopy sync /data 'https://«word».blob.core.windows.net/«word»?sv=2022-11-02&ss=b&srt=co&sp=rwdl&se=2030-01-01T00:00:00Z&st=2024-01-01T00:00:00Z&spr=https&sig=«alnum:41»%2B«alnum:1»%3D'\n")},
		{"Azure AD secret", "srv/«app»/.env", env("AZURE_TENANT_ID=«uuid»\nAZURE_CLIENT_ID=«uuid»\nAZURE_CLIENT_SECRET=«alnum:3»8Q~«url64:34»")},
		{"Azure Cosmos", "srv/«app»/.env", env("COSMOS=AccountEndpoint=https://«word».documents.azure.com:443/;AccountKey=«b64key:64»;")},
		{"DigitalOcean", "root/.config/doctl/config.yaml", text("access-token: dop_v1_«hexkey:64»\ncontext: default\n")},
		{"Cloudflare token", "srv/«app»/.env", env("CLOUDFLARE_API_TOKEN=«url64:40»")},
		{"Cloudflare global key", "etc/letsencrypt/cloudflare.ini", text("dns_cloudflare_email = ops@«word».org\ndns_cloudflare_api_key = «hexkey:37»\n")},
		{"Heroku", "srv/«app»/.env", env("HEROKU_API_KEY=«uuid»")},
		{"Linode", "root/.config/linode-cli", text("[DEFAULT]\ndefault-user = «word»\n\n[«word»]\ntoken = «hexkey:64»\nregion = eu-west\n")},
		{"Hetzner", "root/.config/hcloud/cli.toml", text("active_context = \"prod\"\n\n[[contexts]]\nname = \"prod\"\ntoken = \"«key:64»\"\n")},
		{"Scaleway", "root/.config/scw/config.yaml", text("access_key: SCW«upper:17»\nsecret_key: «uuid»\ndefault_region: fr-par\n")},
		{"OpenStack", "root/openrc-«word».sh", text("export OS_AUTH_URL=https://«host»:5000/v3\nexport OS_USERNAME=«user»\nexport OS_PASSWORD=\"«pw»\"\n")},
		{"MinIO", "etc/default/minio", text("MINIO_VOLUMES=/data\nMINIO_ROOT_USER=«user»\nMINIO_ROOT_PASSWORD=«pw»\n")},
		{"Backblaze", "srv/«app»/.env", env("B2_APPLICATION_KEY_ID=00«hex:23»\nB2_APPLICATION_KEY=K00«key:28»")},
		{"Oracle Cloud", "root/.oci/oci_api_key.pem", func(m *mint) []byte { return append(rsaKey(m, "PRIVATE KEY"), "OCI_API_KEY\n"...) }},
		{"rclone", "root/.config/rclone/rclone.conf", text("[s3]\ntype = s3\nprovider = Minio\naccess_key_id = «key:20»\nsecret_access_key = «key:40»\nendpoint = https://«host»\n")},
		{"Ceph keyring", "etc/ceph/ceph.client.admin.keyring", text("[client.admin]\n\tkey = AQ«alnum:36»==\n\tcaps mon = \"allow *\"\n")},
	}
}

// services are tokens of hosted services.
func services() []kind {
	env := func(lines string) func(*mint) []byte { return text("NODE_ENV=production\n" + lines + "\n") }
	const file = "srv/«app»/.env"
	return []kind{
		{"GitHub classic", file, env("GITHUB_TOKEN=ghp_«checked:30»")},
		{"GitHub fine-grained", "srv/«app»/release.sh", text("#!/bin/sh\ncurl -H 'Authorization: token github_pat_«alnum:22»_«alnum:59»' https://api.github.com/user\n")},
		{"GitHub app", "srv/«app»/clone.log", text("Cloning into 'app'...\nremote: https://x-access-token:ghs_«checked:30»@github.com/«word»/app\n")},
		{"GitLab", "srv/«app»/.gitlab-token", text("glpat-«url64:20»\n")},
		{"GitLab runner", "etc/gitlab-runner/config.toml", text("concurrent = 4\n\n[[runners]]\n  name = \"«word»\"\n  url = \"https://gitlab.«word».org/\"\n  token = \"glrt-«url64:20»\"\n  executor = \"docker\"\n")},
		{"Bitbucket", "srv/«app»/.git/config", text("[remote \"origin\"]\n\turl = https://x-token-auth:ATBB«alnum:24»«HEX:8»@bitbucket.org/«word»/«word».git\n")},
		{"Slack bot", file, env("SLACK_BOT_TOKEN=xoxb-«digits:12»-«digits:13»-«key:24»")},
		{"Slack app", file, env("SLACK_APP_TOKEN=xapp-1-A«upper:10»-«digits:13»-«hexkey:64»")},
		{"Slack webhook", "etc/alertmanager/«word».yml", text("receivers:\n- name: ops\n  slack_configs:\n  - api_url: https://hooks.slack.com/services/T«upper:10»/B«upper:10»/«key:24»\n    channel: '#ops'\n")},
		{"Discord bot", "srv/«app»/bot.py", text("import discord\n\nclient = discord.Client()\nclient.run('M«alnum:23».G«alnum:5».«url64:38»')\n")},
		{"Discord webhook", "srv/«app»/notify.sh", text("#!/bin/sh\ncurl -d @- https://discord.com/api/webhooks/1«digits:17»/«url64:68»\n")},
		{"Telegram", "srv/«app»/bot.js", text("const bot = new TelegramBot('«digits:10»:AA«url64:33»', { polling: true });\n")},
		{"Stripe", "srv/«app»/billing.rb", text("require 'stripe'\n\nStripe.api_key = 'sk_live_51«key:97»'\n")},
		{"Stripe restricted", file, env("STRIPE_KEY=rk_live_51«key:97»")},
		{"Stripe webhook", file, env("STRIPE_WEBHOOK_SECRET=whsec_«key:32»")},
		{"Square", file, env("SQUARE_ACCESS_TOKEN=EAAA«url64:60»")},
		{"Twilio", file, env("TWILIO_ACCOUNT_SID=AC«hex:32»\nTWILIO_AUTH_TOKEN=«hexkey:32»")},
		{"Twilio API key", file, env("TWILIO_API_KEY=SK«hex:32»\nTWILIO_API_SECRET=«key:32»")},
		{"SendGrid", file, env("SENDGRID_API_KEY=SG.«url64:22».«url64:43»")},
		{"Mailgun", file, env("MAILGUN_API_KEY=key-«hexkey:32»")},
		{"Mailgun new", file, env("MAILGUN_API_KEY=«hexkey:32»-«hex:8»-«hex:8»")},
		{"Mailchimp", file, env("MAILCHIMP_API_KEY=«hexkey:32»-us14")},
		{"npm in CI", "srv/«app»/publish.sh", text("#!/bin/sh\nexport NPM_TOKEN=npm_«checked:30»\nnpm publish\n")},
		{"Hugging Face", "root/.cache/huggingface/token", text("hf_«letters:34»")},
		{"OpenAI project", file, env("OPENAI_API_KEY=sk-proj-«url64:74»T3Blbk" + "FJ«url64:74»")},
		{"OpenAI old", "srv/«app»/chat.py", text("import openai\n\nopenai.api_key = \"sk-«key:20»T3Blbk" + "FJ«key:20»\"\n")},
		{"Anthropic", file, env("ANTHROPIC_API_KEY=sk-ant-api03-«url64:93»AA")},
		{"Datadog", "etc/datadog-agent/datadog.yaml", text("api_key: «hexkey:32»\nsite: datadoghq.eu\nlogs_enabled: true\n")},
		{"Datadog app key", file, env("DD_APP_KEY=«hexkey:40»")},
		{"New Relic user", file, env("NEW_RELIC_API_KEY=NRAK-«upper:27»")},
		{"New Relic license", "srv/«app»/newrelic.yml", text("common: &default_settings\n  license_key: «hexkey:36»NRAL\n  app_name: «Word»\n")},
		{"Sentry DSN", "srv/«app»/sentry.properties", text("dsn=https://«hex:32»:«hexkey:32»@sentry.«word».io/4\n")},
		{"Sentry token", "srv/«app»/.sentryclirc", text("[auth]\ntoken=sntryu_«hexkey:64»\n")},
		{"Grafana service account", file, env("GRAFANA_TOKEN=glsa_«key:32»_«hex:8»")},
		{"Vault", file, env("VAULT_ADDR=https://vault.«word».org:8200\nVAULT_TOKEN=hvs.CAESI«url64:92»")},
		{"Vault legacy", file, env("VAULT_TOKEN=s.«key:24»")},
		{"Okta", file, env("OKTA_CLIENT_TOKEN=00«url64:40»")},
		{"Atlassian", file, env("JIRA_API_TOKEN=ATATT3xFfGF0«url64:171»=«HEX:8»")},
		{"Confluent", "opt/«app»/cloud.properties", text("bootstrap.servers=pkc-«lower:5».eu-west-1.aws.confluent.cloud:9092\nbasic.auth.user.info=«upper:16»:«key:64»\n")},
		{"Notion", file, env("NOTION_TOKEN=ntn_«digits:11»«key:35»")},
		{"Linear", file, env("LINEAR_API_KEY=lin_api_«key:40»")},
		{"Figma", file, env("FIGMA_TOKEN=figd_«url64:40»")},
		{"Postman", file, env("POSTMAN_API_KEY=PMAK-«hex:24»-«hexkey:34»")},
		{"Docker Hub", "srv/«app»/login.sh", text("#!/bin/sh\necho dckr_pat_«url64:27» | docker login -u «word» --password-stdin\n")},
		{"Artifactory", file, env("ARTIFACTORY_API_KEY=AKCp8«key:68»")},
		{"Sonar", "srv/«app»/sonar-project.properties", text("sonar.projectKey=«word»\nsonar.login=sqp_«hexkey:40»\n")},
		{"JWT", "srv/«app»/supabase.js", text("export const supabase = createClient('https://«lower:20».supabase.co', '«jwt»');\n")},
		{"Shopify", file, env("SHOPIFY_ACCESS_TOKEN=shpat_«hexkey:32»")},
		{"Airtable", file, env("AIRTABLE_TOKEN=pat«alnum:14».«hexkey:64»")},
		{"Doppler", file, env("DOPPLER_TOKEN=dp.pt.«key:43»")},
		{"Pulumi", file, env("PULUMI_ACCESS_TOKEN=pul-«hexkey:40»")},
		{"PlanetScale", file, env("DB_PASS=pscale_pw_«url64:43»")},
		{"Supabase", file, env("SUPABASE_ACCESS_TOKEN=sbp_«hexkey:40»")},
		{"Netlify", file, env("NETLIFY_AUTH_TOKEN=nfp_«key:36»")},
		{"Dynatrace", file, env("DT_API_TOKEN=dt0c01.«upper:24».«upper:64»")},
		{"Groq", file, env("GROQ_API_KEY=gsk_«key:52»")},
		{"Replicate", file, env("REPLICATE_API_TOKEN=r8_«key:37»")},
		{"xAI", file, env("XAI_API_KEY=xai-«key:80»")},
		{"Perplexity", file, env("PERPLEXITY_API_KEY=pplx-«key:48»")},
		{"DeepSeek", file, env("DEEPSEEK_API_KEY=sk-«hexkey:32»")},
		{"Vercel", file, env("VERCEL_TOKEN=«key:24»")},
		{"Facebook", file, env("FACEBOOK_APP_SECRET=«hexkey:32»")},
		{"PagerDuty", file, env("PAGERDUTY_TOKEN=u+«url64:18»")},
		{"CircleCI", file, env("CIRCLECI_TOKEN=CCIPAT_«alnum:22»_«hexkey:40»")},
		{"Codecov", file, env("CODECOV_TOKEN=«uuid»")},
		{"Algolia admin", file, env("ALGOLIA_APP_ID=«upper:10»\nALGOLIA_ADMIN_KEY=«hexkey:32»")},
		{"Elastic Cloud key", "etc/metricbeat/metricbeat.yml", func(m *mint) []byte {
			return []byte(m.fill("output.elasticsearch:\n  hosts: [\"https://«host»:9243\"]\n  api_key: \"«url64:20»:«key:22»\"\n"))
		}},
		{"Paypal", file, env("PAYPAL_CLIENT_SECRET=E«url64:79»")},
		{"Teams webhook", "srv/«app»/teams.yml", text("webhook: https://«word».webhook.office.com/webhookb2/«uuid»@«uuid»/IncomingWebhook/«hexkey:32»/«uuid»\n")},
		{"Fly", file, env("FLY_API_TOKEN=FlyV1 fm2_«b64key:300»")},
	}
}

// china are keys and robots of Chinese clouds and messengers.
func china() []kind {
	const file = "srv/«app»/.env"
	env := func(lines string) func(*mint) []byte { return text("APP_ENV=prod\n" + lines + "\n") }
	return []kind{
		{"Alibaba", file, env("ALIBABA_CLOUD_ACCESS_KEY_ID=LTAI5t«alnum:18»\nALIBABA_CLOUD_ACCESS_KEY_SECRET=«key:30»")},
		{"Alibaba OSS yml", "opt/«app»/application.yml", text("aliyun:\n  oss:\n    endpoint: oss-cn-hangzhou.aliyuncs.com\n    accessKeyId: LTAI5t«alnum:18»\n    accessKeySecret: «key:30»\n")},
		{"Tencent", file, env("TENCENTCLOUD_SECRET_ID=AKID«alnum:32»\nTENCENTCLOUD_SECRET_KEY=«key:32»")},
		{"Tencent COS", "root/.cos.conf", text("[common]\nsecret_id = AKID«alnum:32»\nsecret_key = «key:32»\nregion = ap-shanghai\n")},
		{"Huawei", "opt/«app»/obs.properties", text("huawei.obs.ak=«upper:20»\nhuawei.obs.sk=«key:40»\nhuawei.obs.endpoint=obs.cn-north-4.myhuaweicloud.com\n")},
		{"Huawei environment", file, env("HUAWEICLOUD_SDK_AK=«upper:20»\nHUAWEICLOUD_SDK_SK=«key:40»")},
		{"Volcengine", file, env("VOLC_ACCESSKEY=AKLT«alnum:43»\nVOLC_SECRETKEY=«b64key:43»")},
		{"Qiniu", "opt/«app»/qiniu.yml", text("qiniu:\n  accessKey: «url64:40»\n  secretKey: «url64:40»\n  bucket: «word»\n")},
		{"Baidu", file, env("BAIDU_APP_ID=«digits:8»\nBAIDU_API_KEY=«alnum:24»\nBAIDU_SECRET_KEY=«key:32»")},
		{"WeChat", "opt/«app»/wechat.properties", text("wx.appid=wx«hex:16»\nwx.appsecret=«hexkey:32»\n")},
		{"Feishu", file, env("FEISHU_APP_ID=cli_a«hex:15»\nFEISHU_APP_SECRET=«key:32»")},
		{"Feishu webhook", "srv/«app»/notify.py", text("import requests\n\nrequests.post('https://open.feishu.cn/open-apis/bot/v2/hook/«uuid»', json={})\n")},
		{"DingTalk robot", "srv/«app»/alert.go", text("package alert\n\nconst robot = \"https://oapi.dingtalk.com/robot/send?access_token=«hexkey:64»\"\n")},
		{"DingTalk sign", "srv/«app»/ding.yml", text("dingtalk:\n  secret: SEC«hexkey:64»\n")},
		{"WeCom robot", "srv/«app»/wecom.sh", text("curl 'https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=«uuid»' -d @msg.json\n")},
		{"Nacos", "opt/«app»/bootstrap.yml", text("spring:\n  cloud:\n    nacos:\n      server-addr: «host»:8848\n      username: nacos\n      password: «pw»\n")},
		{"Druid", "opt/«app»/druid.properties", text("spring.datasource.druid.stat-view-servlet.login-username=admin\nspring.datasource.druid.stat-view-servlet.login-password=«pw»\n")},
		{"Shiro key", "opt/«app»/shiro.ini", text("[main]\nsecurityManager.rememberMeManager.cipherKey = «b64key:16»\n")},
	}
}

// disguises are files that a line of text does not reach at once.
func disguises() []kind {
	return []kind{
		{"UTF-16LE config", "srv/«app»/appsettings.json", func(m *mint) []byte {
			return utf16LE(m.fill("{\r\n  \"ConnectionStrings\": {\r\n    \"Main\": \"Server=«host»;Database=«word»;User Id=sa;Password=«urlpw»;\"\r\n  }\r\n}\r\n"))
		}},
		{"UTF-16LE token", "srv/«app»/token.txt", func(m *mint) []byte { return utf16LE(m.fill("GITHUB_TOKEN=ghp_«checked:30»\r\n")) }},
		{"UTF-16BE config", "srv/«app»/service.config", func(m *mint) []byte {
			little := utf16LE(m.fill("<appSettings>\r\n  <add key=\"SmtpPassword\" value=\"«urlpw»\" />\r\n</appSettings>\r\n"))
			for i := 0; i+1 < len(little); i += 2 {
				little[i], little[i+1] = little[i+1], little[i]
			}
			return little
		}},
		{"Latin-1 properties", "opt/«app»/zugang.properties", func(m *mint) []byte {
			return []byte("# Zugang f\xfcr die \xdcbertragung\nmail.smtp.user=" + m.fill("«user»\nmail.smtp.password=«pw»\n"))
		}},
		{"GBK properties", "opt/«app»/jdbc.properties", func(m *mint) []byte {
			return []byte("# \xca\xfd\xbe\xdd\xbf\xe2\xc5\xe4\xd6\xc3\njdbc.username=root\njdbc.password=" + m.fill("«pw»\n"))
		}},
		{"CRLF env", "srv/«app»/.env", text("DB_HOST=«host»\r\nDB_PASSWORD=«pw»\r\n")},
		{"in a zip", "opt/«app»/backup.zip", func(m *mint) []byte {
			return zipOf(m, "README.txt", "settings\n", "conf/.env", m.fill("SENDGRID_API_KEY=SG.«url64:22».«url64:43»\n"))
		}},
		{"in a jar", "opt/«app»/app.jar", func(m *mint) []byte {
			return zipOf(m, "META-INF/MANIFEST.MF", "Manifest-Version: 1.0\n", "BOOT-INF/classes/application.properties", m.fill("spring.datasource.username=«user»\nspring.datasource.password=«pw»\n"))
		}},
		{"in a tar.gz", "root/«word»-config.tar.gz", func(m *mint) []byte {
			return tarGzip(m, "home/.aws/credentials", m.fill("[default]\naws_access_key_id = AKIA«aws»\naws_secret_access_key = «key:40»\n"))
		}},
		{"in a jar in a war", "opt/«app»/portal.war", func(m *mint) []byte {
			inner := zipOf(m, "mail.properties", m.fill("mail.password=«pw»\nmail.host=smtp.«word».net\n"))
			return zipOf(m, "WEB-INF/web.xml", "<web-app/>\n", "WEB-INF/lib/mail-1.0.jar", string(inner))
		}},
		{"base64 of a token", "srv/«app»/payload.yaml", func(m *mint) []byte {
			return []byte("encoding: b64\ncontent: " + base64.StdEncoding.EncodeToString([]byte(m.fill("export GITHUB_TOKEN=ghp_«checked:30»\n"))) + "\n")
		}},
		{"base64 of a key", "srv/«app»/.env", func(m *mint) []byte {
			return []byte("DEPLOY_KEY_B64=" + base64.StdEncoding.EncodeToString(openSSH(m)) + "\n")
		}},
		{"base64 of a file", "etc/cloud/cloud-init-«word».yaml", func(m *mint) []byte {
			return []byte("#cloud-config\nwrite_files:\n- encoding: b64\n  path: /etc/app/env\n  content: " + base64.StdEncoding.EncodeToString([]byte(m.fill("# app\nDATABASE_URL=postgres://«user»:«urlpw»@«host»:5432/«word»\n"))) + "\n")
		}},
		{"in a line of 1 MB", "srv/«app»/static/main.«hex:8».js", func(m *mint) []byte {
			half := minified(m, 500_000)
			return append(append(half, m.fill(`;var s3={accessKeyId:"AKIA«aws»",secretAccessKey:"«key:40»"};`)...), minified(m, 500_000)...)
		}},
		{"token in a line of 1 MB", "srv/«app»/dist/vendor.«hex:8».js", func(m *mint) []byte {
			return append(append(minified(m, 900_000), m.fill(`,n={Authorization:"token ghp_«checked:30»"},`)...), minified(m, 100_000)...)
		}},
		{"source map", "srv/«app»/static/app.js.map", func(m *mint) []byte {
			return []byte(m.fill(`{"version":3,"file":"app.js","sources":["../src/api.ts"],"sourcesContent":["import x from 'y';\nconst STRIPE = 'sk_live_51«key:97»';\n"],"mappings":"AAAA,«alnum:300»"}`))
		}},
		{"in a log", "var/log/«word»/app.log", func(m *mint) []byte {
			return []byte(m.lines(300, "2024-05-02T10:11:12Z INFO request id=«uuid» path=/«word»/«word» took=«digits:2»ms\n") +
				m.fill("2024-05-02T10:11:13Z DEBUG connecting to postgres://«user»:«urlpw»@«host»:5432/«word»\n") +
				m.lines(100, "2024-05-02T10:11:14Z INFO request id=«uuid» path=/«word» took=«digits:2»ms\n"))
		}},
		{"late in a large file", "var/log/«word»/debug.log", func(m *mint) []byte {
			return []byte(m.lines(15_000, "2024-05-02 10:11:12 [worker-«digits:1»] DEBUG «word».«word» - state «word» for «word» changed\n") + m.fill("Authorization: Bearer glpat-«url64:20»\n"))
		}},
		{"SQLite-like binary", "var/lib/«word»/data.db", func(m *mint) []byte {
			return append(append(append([]byte("SQLite format 3\x00"), m.bytes(3000)...), m.fill("\x00\x17github_token\x81ghp_«checked:30»\x00")...), m.bytes(2000)...)
		}},
		{"ELF binary", "usr/local/bin/«word»ctl", func(m *mint) []byte {
			return append(append(append([]byte("\x7fELF\x02\x01\x01\x00"), m.bytes(60_000)...), m.fill("\x00https://hooks.slack.com/services/T«upper:10»/B«upper:10»/«key:24»\x00")...), m.bytes(60_000)...)
		}},
		{"Python bytecode", "srv/«app»/__pycache__/settings.cpython-312.pyc", func(m *mint) []byte {
			return []byte("\xcb\x0d\x0d\x0a\x00\x00\x00\x00" + string(m.bytes(80)) + "\xda\x0eSTRIPE_API_KEY\xe9" + m.fill("\xfak\x00sk_live_51«key:97»") + "\xa9\x00" + string(m.bytes(60)))
		}},
	}
}

func (m *mint) must(err error) {
	m.t.Helper()
	if err != nil {
		m.t.Fatal(err)
	}
}

// rsaKey is a real key; its label says whether it is PKCS#1 or PKCS#8.
func rsaKey(m *mint, label string) []byte {
	if m.rsa == nil || m.IntN(8) == 0 { // making one takes a while
		var err error
		m.rsa, err = rsa.GenerateKey(rand.Reader, 2048)
		m.must(err)
	}
	der := x509.MarshalPKCS1PrivateKey(m.rsa)
	if label == "PRIVATE KEY" {
		var err error
		der, err = x509.MarshalPKCS8PrivateKey(m.rsa)
		m.must(err)
	}
	text := pem.EncodeToMemory(&pem.Block{Type: label, Bytes: der})
	m.secret(strings.Split(string(text), "\n")[3])
	return text
}

// openSSH is an Ed25519 key in OpenSSH's own format (PROTOCOL.key).
func openSSH(m *mint) []byte {
	key := ed25519.NewKeyFromSeed(m.bytes(32))
	field := func(b []byte) []byte { return append(endian.BigEndian.AppendUint32(nil, uint32(len(b))), b...) }
	join := func(parts ...[]byte) []byte { return bytes.Join(parts, nil) }
	public := join(field([]byte("ssh-ed25519")), field(key.Public().(ed25519.PublicKey)))
	check := m.bytes(4)
	private := join(check, check, public, field(key), field([]byte("deploy@"+m.word())))
	for pad := byte(1); len(private)%8 != 0; pad++ {
		private = append(private, pad)
	}
	none := field([]byte("none"))
	blob := join([]byte("openssh-key-v1\x00"), none, none, field(nil), endian.BigEndian.AppendUint32(nil, 1), field(public), field(private))
	body := wrap(base64.StdEncoding.EncodeToString(blob), 70)
	return []byte("-----BEGIN OPENSSH " + "PRIVATE KEY-----\n" + body + "-----END OPENSSH " + "PRIVATE KEY-----\n")
}

// encryptedPKCS8 has the outer structure of PBES2 and a body that nobody can read.
func encryptedPKCS8(m *mint) []byte {
	pbes2 := []byte{0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x05, 0x0d}
	algorithm := append([]byte{0x30, byte(len(pbes2) + 2)}, append(pbes2, 0x30, 0x00)...)
	body := append([]byte{0x04, 0x82, 0x04, 0xd0}, m.bytes(0x4d0)...)
	inner := append(algorithm, body...)
	return append([]byte{0x30, 0x82, byte(len(inner) >> 8), byte(len(inner))}, inner...)
}

// encryptedPKCS1 is what old versions of openssl and ssh-keygen wrote.
func encryptedPKCS1(m *mint) []byte {
	_ = rsaKey(m, "RSA PRIVATE KEY")
	der := x509.MarshalPKCS1PrivateKey(m.rsa)
	der = append(der, make([]byte, aes.BlockSize-len(der)%aes.BlockSize)...)
	block, err := aes.NewCipher(m.bytes(16))
	m.must(err)
	iv := m.bytes(aes.BlockSize)
	cipher.NewCBCEncrypter(block, iv).CryptBlocks(der, der)
	return pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: der, Headers: map[string]string{
		"Proc-Type": "4,ENCRYPTED", "DEK-Info": fmt.Sprintf("AES-128-CBC,%X", iv)}})
}

func pkcs12(m *mint) []byte {
	dir := m.t.TempDir()
	run := func(args ...string) { tool(m.t, "openssl", args...) }
	key, cert, out := filepath.Join(dir, "key"), filepath.Join(dir, "cert"), filepath.Join(dir, "p12")
	run("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key, "-out", cert, "-subj", "/CN="+m.word())
	run("pkcs12", "-export", "-inkey", key, "-in", cert, "-out", out, "-passout", "pass:"+m.word())
	data, err := os.ReadFile(out)
	m.must(err)
	return data
}

// jks is a Java keystore of version 2 with one private key, enciphered by Sun's
// own algorithm, and a chain of one. The password is unknown, so its digest is
// random.
func jks(m *mint) []byte {
	word := func(n int) []byte { return endian.BigEndian.AppendUint32(nil, uint32(n)) }
	utf := func(s string) []byte { return append(endian.BigEndian.AppendUint16(nil, uint16(len(s))), s...) }
	sequence := func(tag byte, body ...[]byte) []byte {
		all := bytes.Join(body, nil)
		return append([]byte{tag, 0x82, byte(len(all) >> 8), byte(len(all))}, all...)
	}
	algorithm := []byte{0x30, 0x0e, 0x06, 0x0a, 0x2b, 0x06, 0x01, 0x04, 0x01, 0x2a, 0x02, 0x11, 0x01, 0x01, 0x05, 0x00}
	key := sequence(0x30, algorithm, sequence(0x04, m.bytes(1257)))
	cert := sequence(0x30, sequence(0x30, m.bytes(600)), m.bytes(280))
	millis := []byte{0, 0, 1, 0x8f, 0x3a, 0x10, 0x5e, 0x07}
	return bytes.Join([][]byte{word(0xfeedfeed), word(2), word(1), word(1), utf(m.word()), millis, word(len(key)), key,
		word(1), utf("X.509"), word(len(cert)), cert, m.bytes(20)}, nil)
}

func wrap(s string, n int) string {
	var b strings.Builder
	for len(s) > n {
		b.WriteString(s[:n] + "\n")
		s = s[n:]
	}
	return b.String() + s + "\n"
}

func utf16LE(s string) []byte {
	b := []byte{0xff, 0xfe}
	for _, u := range utf16.Encode([]rune(s)) {
		b = endian.LittleEndian.AppendUint16(b, u)
	}
	return b
}

// zipOf has files that are given as name, content, name, content …
func zipOf(m *mint, files ...string) []byte {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for i := 0; i < len(files); i += 2 {
		f, err := w.Create(files[i])
		m.must(err)
		_, err = f.Write([]byte(files[i+1]))
		m.must(err)
	}
	m.must(w.Close())
	return b.Bytes()
}

func tarGzip(m *mint, name, content string) []byte {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	w := tar.NewWriter(z)
	m.must(w.WriteHeader(&tar.Header{Name: name, Mode: 0o600, Size: int64(len(content))}))
	_, err := w.Write([]byte(content))
	m.must(err)
	m.must(w.Close())
	m.must(z.Close())
	return b.Bytes()
}

// minified is JavaScript in one line, of about n bytes. Some thousand words in a
// megabyte are those that scanners look for.
func minified(m *mint, n int) []byte {
	var b bytes.Buffer
	for b.Len() < n {
		form := pick(m,
			`function «letters:1»(«letters:1»,«letters:1»){return «letters:1».«word»("«word»"),«letters:1»&&«letters:1».length>«digits:1»}`,
			`«digits:4»:(e,t,n)=>{"use strict";n.d(t,{Z:()=>«letters:1»});const «letters:1»=n(«digits:5»);`,
			`case«digits:2»:return this.«word»({«word»:"«word»",«word»:«letters:1».«word»}),void 0!==«letters:1»?«letters:1»:null;`)
		if m.IntN(10) == 0 {
			form = pick(m,
				`«letters:2».prototype.«word»=function(){this.«word»=«letters:1»||{},this.token=null;var «letters:1»=this._«word»;`,
				`if(password!==«letters:1».confirm)throw new TypeError("«say:4»");`,
				`headers:{"X-Api-Key":e.apiKey,Authorization:"Bearer ".concat(«letters:1»)},`,
				`var «letters:1»="data:image/png;base64,«b64:60»";`)
		}
		b.WriteString(m.fill(form))
	}
	return b.Bytes()
}
