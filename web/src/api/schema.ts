// Generated from openapi.json by "make web-client"; do not edit.

export interface paths {
    "/api/v1/agent-tokens": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Tokens that agents enrol with, newest first
         * @description Secrets are not among it.
         */
        get: operations["listAgentTokens"];
        put?: never;
        /**
         * Make a token that lets agents enrol
         * @description Its secret, and the lines that start an agent with it, are in the answer and nowhere else.
         */
        post: operations["createAgentToken"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/agent-tokens/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /**
         * Let no more agents enrol with a token
         * @description Agents that did stay.
         */
        delete: operations["revokeAgentToken"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/agents": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Agents, newest first
         * @description All at once, revoked ones last.
         */
        get: operations["listAgents"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/agents/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /**
         * Take an agent's key away
         * @description It can neither read nor write anything from now on. What it was scanning waits for others; what it told stays until its host is removed.
         */
        delete: operations["revokeAgent"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/audit": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Who did what, newest first */
        get: operations["listAudit"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/components": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Packages across all images, one row for each version
         * @description The images that hold one are at /images?component={id}.
         */
        get: operations["listComponents"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/components/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One package version */
        get: operations["getComponent"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/components/{id}/images": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Repository images that hold a package version */
        get: operations["listComponentImages"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/containers": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Containers, the last changed first */
        get: operations["listContainers"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/contents/{imageID}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What is known about one image content */
        get: operations["getContent"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/contents/{imageID}/compare": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * What is new and what is fixed since the previous scan, a moment, or in another image
         * @description A finding in another version of the same package is the same finding.
         */
        get: operations["compareContent"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/contents/{imageID}/events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What happened to an image's findings, and why, newest first */
        get: operations["listContentEvents"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/contents/{imageID}/history": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** How an image was built, with what each layer brought */
        get: operations["getContentHistory"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/contents/{imageID}/malware": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Malicious files in an image */
        get: operations["listContentMalware"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/contents/{imageID}/packages": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Packages of an image, one row for each place */
        get: operations["listContentPackages"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/contents/{imageID}/report": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The report of an image as a file
         * @description What was read at its last scan, judged by what is known now. cyclonedx and spdx are bills of materials.
         */
        get: operations["downloadReport"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/contents/{imageID}/scans": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Scans of an image, newest first */
        get: operations["listContentScans"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/contents/{imageID}/secrets": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Secrets in an image */
        get: operations["listContentSecrets"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/contents/{imageID}/vulnerabilities": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Vulnerabilities of an image, one row for each place */
        get: operations["listContentVulnerabilities"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/contents/{imageID}/vulnerabilities/{vulnerability}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One vulnerability of an image with its proofs, at each of its places */
        get: operations["getContentVulnerability"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/data-updates": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The newest data update */
        get: operations["getLastDataUpdate"];
        put?: never;
        /**
         * Let hosts tell anew what they have
         * @description Hosts whose agent is offline have failed at once, and all others that have not answered after three minutes. 409 while one runs.
         */
        post: operations["startDataUpdate"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/data-updates/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One data update, with how far it is and the hosts that failed */
        get: operations["getDataUpdate"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/egress": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Which addresses registries must let in, and which must be reachable from here */
        get: operations["getEgress"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Progress as it happens (server-sent events)
         * @description Events of the types scan, sync and feed, each with JSON that says what changed. A client that reads too slowly is cut off and comes back with Last-Event-ID; "reset" means that events were missed and everything has to be asked for again. A comment comes every 15 s.
         */
        get: operations["streamEvents"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/export-kinds": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Lists that can be exported, with their columns, and the formats */
        get: operations["listExportKinds"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/exports": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Exports, newest first */
        get: operations["listExports"];
        put?: never;
        /**
         * Export a list
         * @description A list that is longer than the format takes is refused; rows are never left out. GET /exports/{id} tells how far it is.
         */
        post: operations["createExport"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/exports/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One export, with how far it is */
        get: operations["getExport"];
        put?: never;
        post?: never;
        /**
         * Remove an export and its file
         * @description One that runs is stopped.
         */
        delete: operations["deleteExport"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/exports/{id}/file": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The file of an export
         * @description Once its state is success; 409 before, 404 when it has expired. Parts of it can be asked for (Range).
         */
        get: operations["downloadExport"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/exports/preview": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** How many rows an export would have, and how many the format takes */
        post: operations["previewExport"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/feeds": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The bundle in force with its sources, and how the last update went */
        get: operations["getFeeds"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/feeds/adopt": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Put the bundle that waits in force
         * @description What differs is judged again; no image is read.
         */
        post: operations["adoptFeeds"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/feeds/history": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Which bundle was in force when, newest first */
        get: operations["listAdoptions"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/feeds/import": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Take in a file where there is no network
         * @description The body is the file: an OSV export, NVD, EPSS, KEV, a list of hashes, or a bundle made elsewhere.
         */
        post: operations["importFeed"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/feeds/preview": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * What adopting the bundle that waits would change
         * @description Without one, the answer has no bundle. One waits only while feeds are not adopted by themselves (settings).
         */
        post: operations["previewFeeds"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/feeds/rollback": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Put the bundle before the one in force back in force
         * @description What differs is judged again.
         */
        post: operations["rollBackFeeds"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/feeds/update": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Download what is new, and put it in force
         * @description Joins an update that has not ended. GET /feeds tells how it went.
         */
        post: operations["updateFeeds"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/findings/events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What happened to findings, and why, newest first */
        get: operations["listFindingEvents"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/hooks/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * For a registry's webhook: something was pushed
         * @description The body is what registries of its kind send; the Authorization header has the secret that was set here. What it names is looked up in the registry, and what is new is scanned.
         */
        post: operations["callHook"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/hosts": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Hosts that agents tell about, by name */
        get: operations["listHosts"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/hosts/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One host */
        get: operations["getHost"];
        put?: never;
        post?: never;
        /**
         * Forget a host that will not come back
         * @description With its images and containers. 409 while its agent is not revoked: it would tell about the host again.
         */
        delete: operations["removeHost"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/hosts/facets": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The values that filters of hosts can take, with the number of hosts */
        get: operations["listHostFacets"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/images": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Repository images, one row for each tag
         * @description Newest first by default. Rows with the same imageID share one content, one scan and one result.
         */
        get: operations["listImages"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/images/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * One row of /images or /local-images
         * @description What is in it is at /contents/{imageID}.
         */
        get: operations["getImage"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/images/{id}/containers": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The containers of the image of a row of /images or /local-images */
        get: operations["listImageContainers"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/images/{id}/hosts": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The hosts that have the image of a row of /images or /local-images */
        get: operations["listImageHosts"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/images/facets": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The values that filters of images can take, with the number of rows
         * @description Most frequent first, at most 200 of each.
         */
        get: operations["listImageFacets"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/local-images": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Images on hosts, one row for each name and content
         * @description Newest first by default. Rows with the same imageID share one content, one scan and one result, also with rows of /images.
         */
        get: operations["listLocalImages"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/local-images/facets": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The values that filters of images on hosts can take, with the number of rows
         * @description Most frequent first, at most 200 of each.
         */
        get: operations["listLocalImageFacets"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/malware": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Malicious files across all images, worst first
         * @description One that several images have is named once, with their number; they are at /images?malware={rowID}.
         */
        get: operations["listMalware"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/namespaces": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Namespaces of registries, with what is in them
         * @description All at once, at most 10000.
         */
        get: operations["listNamespaces"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/overview": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The state of the whole estate, and what needs attention */
        get: operations["getOverview"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/overview/days": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * How the estate stood at the end of each day, oldest first
         * @description A day on which the service did not run is missing. Today is as it stands now.
         */
        get: operations["listDays"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/overview/top": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The vulnerabilities and images that matter most */
        get: operations["getTop"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/preferences/{name}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * A preference of one's own
         * @description null when it is not set.
         */
        get: operations["getPreference"];
        /** Set a preference of one's own */
        put: operations["setPreference"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/quota": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** How many units there are, and how many are used */
        get: operations["getQuota"];
        /**
         * Set the total, the switch and the rule
         * @description A total below what is used is refused.
         */
        put: operations["setQuota"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/quota/entries": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The ledger, newest first
         * @description With action=auto it is the log of the rule: reason says why images were left out.
         */
        get: operations["listQuotaEntries"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/quota/licences": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The units that were spent, newest first */
        get: operations["listLicences"];
        put?: never;
        /**
         * License images
         * @description All that are chosen, or none: then the answer is 409 with the code quota, and params.needed and params.left.
         */
        post: operations["licenseImages"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/quota/preview": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * What licensing images would cost
         * @description Nothing is spent.
         */
        post: operations["previewLicences"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/registries": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** All registries by name, with what is in them */
        get: operations["listRegistries"];
        put?: never;
        /**
         * Add a registry
         * @description Nothing is asked of it yet: test and synchronise it afterwards.
         */
        post: operations["createRegistry"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/registries/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One registry */
        get: operations["getRegistry"];
        /**
         * Change a registry
         * @description The stored password stays when it is left out, unless it would go another way than before: with another address, another site, another proxy, or a certificate that is no longer verified, it has to be given again.
         */
        put: operations["updateRegistry"];
        post?: never;
        /**
         * Remove a registry with its inventory
         * @description What was found in its images stays as history.
         */
        delete: operations["deleteRegistry"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/registries/{id}/sync/cancel": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Stop synchronising a registry
         * @description What was listed until then stays.
         */
        post: operations["cancelSync"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/registries/{id}/syncs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The newest synchronisations of a registry */
        get: operations["listSyncs"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/registries/{id}/test": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Test a registry's connection, and keep the outcome */
        post: operations["testRegistry"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/registries/delete": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Remove several registries */
        post: operations["deleteRegistries"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/registries/sync": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Synchronise registries
         * @description It is not waited for: see the sync of each registry, and the events.
         */
        post: operations["syncRegistries"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/registries/test": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Test a connection before it is kept
         * @description With the id of a registry that is being edited, its stored password is used if none is given. The answer is 200 whatever the test found: see status, reason and remedy, and the addresses that must be reachable. A registry of a site is tested by an agent of the site, which is waited for; that none answers is an outcome too.
         */
        post: operations["testRegistrySettings"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/registry-kinds": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Kinds of registries, each with the fields of its form */
        get: operations["listRegistryKinds"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/registry-names/{name}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Whether a name may be used
         * @description For forms, while somebody types.
         */
        get: operations["checkRegistryName"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/repositories": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Repositories by name, with what is in them */
        get: operations["listRepositories"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/scans": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Scans of image contents, newest first */
        get: operations["listScans"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/scans/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One scan */
        get: operations["getScan"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/scans/cancel": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Cancel scans
         * @description Name them in one way: ids, imageIDs, filter or all. An image keeps what an earlier scan found.
         */
        post: operations["cancelScans"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/scans/preview": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * What a request for scans would do
         * @description Nothing is started.
         */
        post: operations["previewScan"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/schedules": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** All schedules by name, each with its last run and its next opening */
        get: operations["listSchedules"];
        put?: never;
        /**
         * Add a schedule
         * @description An opening that is past when it is made does not count.
         */
        post: operations["createSchedule"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/schedules/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One schedule */
        get: operations["getSchedule"];
        /**
         * Change a schedule
         * @description A run that has not ended goes on as it began.
         */
        put: operations["updateSchedule"];
        post?: never;
        /**
         * Remove a schedule with the history of its runs
         * @description What it has waiting leaves the queue; what is being scanned is finished; its tasks stay.
         */
        delete: operations["deleteSchedule"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/schedules/{id}/disable": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Switch a schedule off
         * @description A run that has not ended goes on.
         */
        post: operations["disableSchedule"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/schedules/{id}/enable": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Switch a schedule on
         * @description A run that has not ended goes on.
         */
        post: operations["enableSchedule"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/schedules/{id}/preview": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * What the next run would do if it started now
         * @description Nothing is changed.
         */
        get: operations["previewSchedule"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/schedules/{id}/run": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Start a run now
         * @description It need not be on. 409 while a run has not ended. What it does not get to before the next window opens goes on with that window's run.
         */
        post: operations["runSchedule"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/schedules/{id}/runs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The runs of a schedule, newest first */
        get: operations["listScheduleRuns"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/schedules/preview": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** What a schedule would do, before it is kept */
        post: operations["previewScheduleSettings"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/secrets": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Secrets across all images, worst first
         * @description One that several images have is named once, with their number; they are at /images?secret={rowID}.
         */
        get: operations["listSecrets"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/session": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Who is signed in, and what they may do */
        get: operations["getSession"];
        put?: never;
        /**
         * Sign in
         * @description Sets the session's cookie. After some wrong passwords, 429 with Retry-After.
         */
        post: operations["signIn"];
        /** Sign out */
        delete: operations["signOut"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/session/password": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /**
         * Change one's own password
         * @description Ends all other sessions of the user, and renews this one.
         */
        put: operations["setPassword"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/settings": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The service's settings */
        get: operations["getSettings"];
        /**
         * Change the service's settings
         * @description All of them; they count at once.
         */
        put: operations["setSettings"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tasks": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Requests for scans, newest first */
        get: operations["listTasks"];
        put?: never;
        /**
         * Scan images now
         * @description Images that are being scanned are joined. An empty choice is refused.
         */
        post: operations["startScan"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tasks/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * One task, with how far it is
         * @description Its scans are at /scans?task={id}.
         */
        get: operations["getTask"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tasks/{id}/cancel": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Cancel a task, or some of its images
         * @description An image keeps what an earlier scan found.
         */
        post: operations["cancelTask"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tasks/{id}/rescan": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Scan the images of a task again */
        post: operations["rescanTask"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/users/me": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The user who is signed in */
        get: operations["getMe"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/vulnerabilities": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Vulnerabilities across all images, each once, worst first */
        get: operations["listVulnerabilities"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/vulnerabilities/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * One vulnerability with the packages that have it, the proofs, and its history
         * @description A vulnerability that nothing has any longer has no packages.
         */
        get: operations["getVulnerability"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/vulnerabilities/{id}/images": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Repository images that have a vulnerability now */
        get: operations["listVulnerabilityImages"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        Adoption: {
            /** Format: int64 */
            affected: number;
            /** Format: date-time */
            at: string;
            bundle: components["schemas"]["Bundle"];
            by: string;
            /** Format: int64 */
            id: number;
            /** Format: int64 */
            keys: number;
            /** Format: int64 */
            pending: number;
            reason: string;
        };
        AdoptionPreview: {
            bundle?: components["schemas"]["Bundle"];
            /** Format: int64 */
            images: number;
            /** Format: int64 */
            keys: number;
            /** Format: int64 */
            packages: number;
        };
        AffectedPackage: {
            fixAdvice?: components["schemas"]["Text"];
            /** @description Lowest version that ends it */
            fixedVersion?: string;
            fixState: components["schemas"]["FixState"];
            package: components["schemas"]["Package"];
            /** @description The advisories that decided, with the affected ranges */
            proof: components["schemas"]["Proof"][];
            severity: components["schemas"]["Severity"];
            /** @description Why it is not counted */
            suppressed?: string;
            /** @description Says the distribution; not counted */
            unimportant?: boolean;
        };
        Agent: {
            /** Format: date-time */
            beat?: string;
            /** Format: date-time */
            enrolled: string;
            hostID?: string;
            /** Format: int64 */
            id: number;
            key: string;
            kind: components["schemas"]["AgentKind"];
            name: string;
            online: boolean;
            problems?: components["schemas"]["Problem"][];
            /** Format: date-time */
            revoked?: string;
            site?: string;
            /** Format: int64 */
            tokenID?: number;
            version: string;
        };
        AgentCommand: {
            /** @enum {string} */
            kind: "systemd" | "docker" | "kubernetes";
            note: components["schemas"]["Text"];
            /** @description Lines for a shell of the host */
            text: string;
        };
        /** @enum {string} */
        AgentKind: "host" | "site";
        AgentToken: {
            by: string;
            /** Format: date-time */
            created: string;
            /** Format: date-time */
            expires: string;
            /** Format: int64 */
            id: number;
            kind: components["schemas"]["AgentKind"];
            note?: string;
            project?: string;
            /** Format: date-time */
            revoked?: string;
            site?: string;
            /** Format: int64 */
            used: number;
            /** Format: int64 */
            uses: number;
        };
        AssetFacets: {
            architectures: components["schemas"]["Facet"][];
            engines?: components["schemas"]["Facet"][];
            hosts?: components["schemas"]["Facet"][];
            kinds: components["schemas"]["Facet"][];
            labels?: components["schemas"]["Facet"][];
            namespaces: components["schemas"]["Facet"][];
            os: components["schemas"]["Facet"][];
            projects?: components["schemas"]["Facet"][];
            registries: components["schemas"]["Facet"][];
        };
        AssetFilter: {
            architectures?: string[];
            components?: number[];
            container?: string;
            created?: components["schemas"]["TimeRange"];
            engines?: components["schemas"]["EngineKind"][];
            exclude?: number[];
            fixable?: boolean;
            gone?: boolean;
            highPriority?: boolean;
            hosts?: string[];
            ids?: number[];
            imageIDs?: string[];
            kinds?: string[];
            labels?: string[];
            licensed?: boolean;
            /** Format: int64 */
            malware?: number;
            /** Format: int64 */
            maxSize?: number;
            /** Format: int64 */
            minSize?: number;
            mustFix?: boolean;
            namespaces?: string[];
            newest?: boolean;
            os?: string[];
            package?: string;
            pod?: string;
            projects?: string[];
            pushed?: components["schemas"]["TimeRange"];
            /** Format: int64 */
            pushedDays?: number;
            recommended?: boolean;
            registries?: number[];
            repositories?: number[];
            risk?: components["schemas"]["Risk"][];
            riskKinds?: components["schemas"]["Category"][];
            running?: boolean;
            scannable?: boolean;
            scannedAt?: components["schemas"]["TimeRange"];
            search?: string;
            /** Format: int64 */
            secret?: number;
            severities?: components["schemas"]["Severity"][];
            source?: components["schemas"]["ImageSource"];
            status?: components["schemas"]["Status"][];
            synced?: components["schemas"]["TimeRange"];
            used?: boolean;
            vulnerability?: string;
        };
        AssetName: {
            /** Format: int64 */
            id: number;
            /** Format: int64 */
            registryID: number;
            registryName: string;
            repository: string;
            source: components["schemas"]["ImageSource"];
            tag: string;
        };
        AssetRow: {
            address: string;
            /** Format: int64 */
            containers: number;
            counters: components["schemas"]["Counters"];
            /** Format: date-time */
            created?: string;
            digest: string;
            /** Format: date-time */
            firstSeen: string;
            /** Format: date-time */
            gone?: string;
            highPriority?: string[];
            /** Format: int64 */
            hosts: number;
            /** Format: int64 */
            id: number;
            imageID?: string;
            incomplete?: {
                [key: string]: components["schemas"]["Coverage"];
            };
            index?: string;
            /** Format: int64 */
            inRegistries: number;
            /** Format: date-time */
            lastSeen: string;
            licensed: boolean;
            namespace: string;
            newest: boolean;
            osName?: string;
            platform: components["schemas"]["Platform"];
            progress?: {
                [key: string]: number;
            };
            /** Format: date-time */
            pushed?: string;
            reason?: string;
            recommended?: string[];
            /** Format: int64 */
            registryID: number;
            registryKind: string;
            registryName: string;
            repository: string;
            /** Format: int64 */
            repositoryID: number;
            risk: components["schemas"]["Risk"];
            running: boolean;
            /** Format: int64 */
            runningContainers: number;
            scanError?: components["schemas"]["Error"];
            /** Format: int64 */
            scanID?: number;
            /** Format: date-time */
            scannedAt?: string;
            /** Format: int64 */
            size: number;
            source: components["schemas"]["ImageSource"];
            status: components["schemas"]["Status"];
            tag: string;
        };
        Attention: {
            /** Format: int64 */
            count: number;
            /** @description The list's parameters */
            filter: {
                [key: string]: string;
            };
            kind: components["schemas"]["AttentionKind"];
            /**
             * @description Where to look
             * @enum {string}
             */
            list: "images" | "vulnerabilities" | "secrets" | "malware" | "registries" | "feeds";
            reason: components["schemas"]["Text"];
            /** @description How urgent it is */
            severity: components["schemas"]["Severity"];
        };
        /** @enum {string} */
        AttentionKind: "malware" | "exploited" | "high_priority" | "live_secrets" | "failed_scans" | "failing_registries" | "no_knowledge" | "old_knowledge" | "no_registries" | "recommended" | "unknown_images";
        AuditEntry: {
            action: string;
            address?: string;
            /** Format: date-time */
            at: string;
            detail?: string;
            /** Format: int64 */
            id: number;
            requestID?: string;
            target?: string;
            user: string;
        };
        AutoRule: {
            enabled: boolean;
            filter?: components["schemas"]["AssetFilter"];
            /** Format: int64 */
            perDay: number;
        };
        BuildHistory: {
            config: components["schemas"]["LayerFindings"];
            steps: components["schemas"]["BuildStep"][];
        };
        BuildStep: {
            comment?: string;
            /** Format: date-time */
            created?: string;
            createdBy?: string;
            diffID?: string;
            digest?: string;
            empty?: boolean;
            findings?: components["schemas"]["LayerFindings"];
            /** Format: int64 */
            layer?: number;
            /** Format: int64 */
            size: number;
            /** Format: int64 */
            uncompressed?: number;
        };
        Bundle: {
            /** Format: date-time */
            built: string;
            digest: string;
            feeds: components["schemas"]["FeedStatus"][];
        };
        BySeverity: {
            /** Format: int64 */
            critical: number;
            /** Format: int64 */
            high: number;
            /** Format: int64 */
            low: number;
            /** Format: int64 */
            medium: number;
            /** Format: int64 */
            negligible: number;
            /** Format: int64 */
            unknown: number;
        };
        Cancelled: {
            /** Format: int64 */
            cancelled: number;
        };
        CancelRequest: {
            all?: boolean;
            /** @description Of the images that it chooses */
            filter?: components["schemas"]["AssetFilter"];
            /** @description Scans */
            ids?: number[];
            /** @description Whatever scans of these contents wait or run */
            imageIDs?: string[];
        };
        CancelTaskRequest: {
            /** @description Left out, all of them */
            imageIDs?: string[];
        };
        /** @enum {string} */
        Category: "vulnerability" | "secret" | "malware" | "software";
        CategoryState: {
            /**
             * Format: date-time
             * @description When it was last looked at completely
             */
            at?: string;
            reasons?: string[];
            state: components["schemas"]["Coverage"];
        };
        /** @enum {string} */
        Cause: "image_content" | "advisory_added" | "advisory_changed" | "advisory_withdrawn" | "rules" | "exception";
        /** @enum {string} */
        Change: "appeared" | "changed" | "fixed" | "suppressed" | "reopened";
        ChangeCounts: {
            fixed: components["schemas"]["BySeverity"];
            new: components["schemas"]["BySeverity"];
            unchanged: components["schemas"]["BySeverity"];
        };
        Column: {
            id: string;
            title: components["schemas"]["Text"];
        };
        Compared: {
            after: components["schemas"]["Moment"];
            before: components["schemas"]["Moment"];
            counts: components["schemas"]["ChangeCounts"];
            /** @description At most 1000 */
            fixed: components["schemas"]["FindingRow"][];
            /** @description Worst first; at most 1000, all are counted */
            new: components["schemas"]["FindingRow"][];
            /** @description Only when asked for; at most 1000 */
            unchanged: components["schemas"]["FindingRow"][];
        };
        ComponentRow: {
            distro?: string;
            /** Format: int64 */
            id: number;
            /** Format: int64 */
            images: number;
            package: components["schemas"]["Package"];
            /** Format: int64 */
            vulnerabilities: number;
            worst?: components["schemas"]["Severity"];
        };
        Config: {
            cmd?: string[];
            entrypoint?: string[];
            env?: string[];
            labels?: {
                [key: string]: string;
            };
            ports?: string[];
            user?: string;
            workingDir?: string;
        };
        ContainerFilter: {
            engines?: components["schemas"]["EngineKind"][];
            hosts?: string[];
            ids?: number[];
            imageIDs?: string[];
            projects?: string[];
            risk?: components["schemas"]["Risk"][];
            search?: string;
            states?: components["schemas"]["ContainerState"][];
            vulnerability?: string;
        };
        ContainerRow: {
            command?: string[];
            counters: components["schemas"]["Counters"];
            /** Format: date-time */
            created?: string;
            engine: components["schemas"]["EngineKind"];
            /** Format: int64 */
            exitCode?: number;
            hostID: string;
            hostName: string;
            id: string;
            image: string;
            imageID?: string;
            labels?: {
                [key: string]: string;
            };
            /** Format: date-time */
            lastSeen: string;
            name: string;
            namespace?: string;
            online: boolean;
            pod?: string;
            podNamespace?: string;
            risk: components["schemas"]["Risk"];
            /** Format: int64 */
            rowID: number;
            state: components["schemas"]["ContainerState"];
            status: components["schemas"]["Status"];
            /** Format: date-time */
            updated?: string;
        };
        /** @enum {string} */
        ContainerState: "created" | "running" | "paused" | "restarting" | "removing" | "exited" | "dead" | "unknown";
        ContentOf: {
            /**
             * Format: int64
             * @description All of them, up to 1000
             */
            assetCount: number;
            /** @description Rows of the list of images that have it, at most 50 */
            assets: components["schemas"]["AssetRow"][];
            /** @description By which vulnerabilities are judged; missing without a feed */
            bundle?: components["schemas"]["Bundle"];
            /** @description How far each category's answer reaches */
            categories: {
                [key: string]: components["schemas"]["CategoryState"];
            };
            counters: components["schemas"]["Counters"];
            image: components["schemas"]["Image"];
            /** @description The last one, or the one that runs */
            lastScan?: components["schemas"]["ScanRow"];
            /** @description Lowest first */
            layers: components["schemas"]["Layer"][];
            /** @description Rows of the list of images on hosts that have it, at most 50 */
            local: components["schemas"]["AssetRow"][];
            /**
             * Format: int64
             * @description All of them, up to 1000
             */
            localCount: number;
            /**
             * Format: int64
             * @description Packages that wait to be judged again
             */
            pending: number;
            /** @description What kept the scan from being complete */
            problems: components["schemas"]["Problem"][];
            risk: components["schemas"]["Risk"];
            /** @description Analyzers and rule sets that read it */
            rules?: string;
            /**
             * Format: date-time
             * @description End of the last scan that succeeded
             */
            scannedAt?: string;
            status: components["schemas"]["Status"];
        };
        Cookie: {
            Domain: string;
            /** Format: date-time */
            Expires: string;
            HttpOnly: boolean;
            /** Format: int64 */
            MaxAge: number;
            Name: string;
            Partitioned: boolean;
            Path: string;
            Quoted: boolean;
            Raw: string;
            RawExpires: string;
            /** Format: int64 */
            SameSite: number;
            Secure: boolean;
            Unparsed: string[];
            Value: string;
        };
        Counters: {
            /** Format: int64 */
            criticalFixable: number;
            distinct: components["schemas"]["BySeverity"];
            /** Format: int64 */
            exploited: number;
            /** Format: int64 */
            fixable: number;
            /** Format: int64 */
            liveSecrets: number;
            malware: components["schemas"]["BySeverity"];
            /** Format: int64 */
            packages: number;
            secrets: components["schemas"]["BySeverity"];
            /** Format: int64 */
            suppressed: number;
            /** Format: int64 */
            unimportant: number;
            vulnerabilities: components["schemas"]["BySeverity"];
        };
        /** @enum {string} */
        Coverage: "complete" | "partial" | "hashes_only" | "unknown" | "not_yet" | "skipped" | "unsupported";
        CVSS: {
            meaning?: string[];
            /** Format: double */
            score: number;
            severity: components["schemas"]["Severity"];
            source?: string;
            vector: string;
            version: string;
        };
        DataUpdate: {
            by: string;
            /** Format: int64 */
            done: number;
            /** Format: date-time */
            ended?: string;
            failed?: components["schemas"]["FailedUpdate"][];
            /** Format: int64 */
            id: number;
            /** Format: date-time */
            started: string;
            /** Format: int64 */
            total: number;
        };
        Day: {
            /** Format: int64 */
            atRisk: number;
            counters: components["schemas"]["Counters"];
            date: string;
            newest: components["schemas"]["Counters"];
            /** Format: int64 */
            rows: number;
        };
        Deleted: {
            /**
             * Format: int64
             * @description Rows of the list of images that went with them
             */
            images: number;
            /** Format: int64 */
            registries: number;
        };
        DeleteRegistriesRequest: {
            ids: number[];
        };
        Detection: {
            author?: string;
            engine: string;
            evidence?: string[];
            family?: string;
            kind?: string;
            list?: string;
            name: string;
            pack?: components["schemas"]["RulePack"];
            reference?: string;
            severity: components["schemas"]["Severity"];
            title?: components["schemas"]["Text"];
        };
        Distro: {
            codename?: string;
            cpeName?: string;
            ended?: boolean;
            /** Format: date-time */
            endOfLife?: string;
            id: string;
            idLike?: string[];
            name?: string;
            origin?: components["schemas"]["Origin"];
            version: string;
        };
        Egress: {
            addresses: string[];
            /** @description Given by --egress; else the machine's own addresses, which a gateway may change on the way */
            configured: boolean;
            registries: components["schemas"]["RegistryEndpoint"][];
        };
        EngineInfo: {
            api?: string;
            id?: string;
            kind: components["schemas"]["EngineKind"];
            limits?: components["schemas"]["Text"][];
            owner?: string;
            root?: string;
            store?: string;
            version?: string;
        };
        /** @enum {string} */
        EngineKind: "docker" | "containerd" | "podman";
        EPSS: {
            date: string;
            /** Format: double */
            percentile: number;
            /** Format: double */
            score: number;
        };
        Error: {
            code: string;
            message: string;
            remedy?: string;
        };
        ErrorDetail: {
            /** @description Where the error occurred, e.g. 'body.items[3].tags' or 'path.thing-id' */
            location?: string;
            /** @description Error message text */
            message?: string;
            /** @description The value at the given location */
            value?: unknown;
        };
        ErrorModel: {
            /**
             * @description A human-readable explanation specific to this occurrence of the problem.
             * @example Property foo is required but is missing.
             */
            detail?: string;
            /** @description Optional list of individual error details */
            errors?: components["schemas"]["ErrorDetail"][];
            /**
             * Format: uri
             * @description A URI reference that identifies the specific occurrence of the problem.
             * @example https://example.com/error-log/abc123
             */
            instance?: string;
            /**
             * Format: int64
             * @description HTTP status code
             * @example 400
             */
            status?: number;
            /**
             * @description A short, human-readable summary of the problem type. This value should not change between occurrences of the error.
             * @example Bad Request
             */
            title?: string;
            /**
             * Format: uri
             * @description A URI reference to human-readable documentation for the error.
             * @default about:blank
             * @example https://example.com/errors/example
             */
            type: string;
        };
        Estate: {
            /** Format: date-time */
            at: string;
            /** @description Since the last day that was closed; missing before the first */
            change?: components["schemas"]["EstateChange"];
            knowledge: components["schemas"]["Knowledge"];
            /** @description Images on hosts */
            local: components["schemas"]["Overview"];
            /** @description Most urgent first; empty when nothing does */
            needsAttention: components["schemas"]["Attention"][];
            registries: components["schemas"]["RegistryCounts"];
            /** @description Images in registries */
            repository: components["schemas"]["Overview"];
            /** @description The day that newToday counts, as YYYY-MM-DD */
            today: string;
        };
        EstateChange: {
            /** Format: int64 */
            atRisk: number;
            /** Format: int64 */
            critical: number;
            /** Format: int64 */
            exploited: number;
            /** Format: int64 */
            high: number;
            /**
             * Format: int64
             * @description Rows of the list of images
             */
            images: number;
            /** Format: int64 */
            malware: number;
            /** Format: int64 */
            secrets: number;
            /** @description That day, as YYYY-MM-DD */
            since: string;
            /** Format: int64 */
            vulnerabilities: number;
        };
        EventFilter: {
            /** Format: int64 */
            adoption?: number;
            at?: components["schemas"]["TimeRange"];
            categories?: components["schemas"]["Category"][];
            causes?: components["schemas"]["Cause"][];
            changes?: components["schemas"]["Change"][];
            imageID?: string;
            /** Format: int64 */
            package?: number;
            vulnerability?: string;
        };
        ExportInput: {
            /** @description CSV: begin with a byte order mark, so that Excel sees that it is UTF-8 */
            bom?: boolean;
            /** @description In the order of the file; empty is all */
            columns?: string[];
            containers?: components["schemas"]["ContainerFilter"];
            /** @description Changes of one image, or of one vulnerability */
            events?: components["schemas"]["EventFilter"];
            /** @description Narrows what was found in the images */
            findings?: components["schemas"]["FindingFilter"];
            /** @enum {string} */
            format: "csv" | "xlsx" | "json" | "html";
            hosts?: components["schemas"]["HostFilter"];
            /** @description As for the list of images; ids are ticked rows, exclude takes rows out of all */
            images?: components["schemas"]["AssetFilter"];
            /**
             * @description One of /export-kinds
             * @example images
             */
            kind: string;
            /**
             * @description Of headers and words; JSON has neither
             * @default en
             * @enum {string}
             */
            language: "en" | "zh";
            /** @description Of the file, without its ending */
            name?: string;
            scans?: components["schemas"]["ScanFilter"];
            /** @description As for the list: a column, with - before it for descending order */
            sort?: string;
            tasks?: components["schemas"]["TaskFilter"];
        };
        ExportKinds: {
            formats: components["schemas"]["Format"][];
            kinds: components["schemas"]["Kind"][];
        };
        ExportNeed: {
            enough: boolean;
            /** Format: int64 */
            limit: number;
            /** Format: int64 */
            rows: number;
            /** Format: int64 */
            sheets: number;
        };
        ExportRequest: {
            bom?: boolean;
            columns?: string[];
            containers?: components["schemas"]["ContainerFilter"];
            events?: components["schemas"]["EventFilter"];
            findings?: components["schemas"]["FindingFilter"];
            format: string;
            hosts?: components["schemas"]["HostFilter"];
            images?: components["schemas"]["AssetFilter"];
            kind: string;
            language?: string;
            name?: string;
            scans?: components["schemas"]["ScanFilter"];
            sort?: string;
            tasks?: components["schemas"]["TaskFilter"];
        };
        ExportRow: {
            by: string;
            /** Format: int64 */
            bytes: number;
            /** Format: date-time */
            created: string;
            /** Format: date-time */
            ended?: string;
            error?: components["schemas"]["Error"];
            /** Format: date-time */
            expires?: string;
            fileName: string;
            /** Format: int64 */
            id: number;
            /**
             * Format: int64
             * @description Per cent
             */
            progress: number;
            request: components["schemas"]["ExportRequest"];
            /** Format: int64 */
            rows: number;
            /** Format: date-time */
            started?: string;
            state: string;
            /** Format: int64 */
            total: number;
        };
        Facet: {
            /** Format: int64 */
            count: number;
            label?: string;
            value: string;
        };
        FailedUpdate: {
            error: components["schemas"]["Error"];
            hostID: string;
            hostName: string;
        };
        FeedRun: {
            by: string;
            /** Format: date-time */
            ended?: string;
            /** @description What was not taken; the rest was */
            error?: components["schemas"]["Error"];
            /** @description Files that are no feed */
            ignored?: string[];
            /** @enum {string} */
            reason: "update" | "import";
            /** @description What was read anew */
            sources?: string[];
            /** Format: date-time */
            started: string;
        };
        FeedState: {
            /**
             * Format: int64
             * @description Bundles that one can go back to
             */
            earlier: number;
            /** @description Missing while nothing was imported: vulnerabilities are unknown */
            inForce?: components["schemas"]["Adoption"];
            /** @description The newest update or import */
            last?: components["schemas"]["FeedRun"];
            /**
             * Format: int64
             * @description Bytes of the bundle in force
             */
            size?: number;
            /** @description An update is wanted, and has not ended */
            waiting: boolean;
        };
        FeedStatus: {
            /** Format: date-time */
            fetched?: string;
            holes?: string[];
            /** Format: date-time */
            newest?: string;
            /** Format: int64 */
            records: number;
            /** Format: int64 */
            refused?: number;
            source: string;
        };
        FieldError: {
            /** @description As in body.name, query.limit, path.id */
            location: string;
            message: string;
            remedy?: string;
        };
        FindingEvent: {
            /** Format: int64 */
            adoption?: number;
            after?: string;
            /** Format: date-time */
            at: string;
            before?: string;
            bundle?: string;
            category: components["schemas"]["Category"];
            cause: components["schemas"]["Cause"];
            change: components["schemas"]["Change"];
            /** Format: int64 */
            id: number;
            imageID?: string;
            package?: components["schemas"]["Package"];
            vulnerability?: string;
        };
        FindingFilter: {
            application?: boolean;
            distinct?: boolean;
            exploited?: boolean;
            fixable?: boolean;
            imageIDs?: string[];
            newest?: boolean;
            package?: string;
            registries?: number[];
            running?: boolean;
            search?: string;
            severities?: components["schemas"]["Severity"][];
            system?: boolean;
            types?: string[];
            uncounted?: boolean;
            vulnerability?: string;
            vulnerable?: boolean;
        };
        FindingRow: {
            /**
             * Format: double
             * @description Probability of exploitation within 30 days, 0 to 1
             */
            epss?: number;
            fixedVersion?: string;
            fixState: components["schemas"]["FixState"];
            /** @description The CVE, or the advisory's own id where no CVE exists */
            id: string;
            imageID: string;
            /** @description Known to be exploited */
            kev?: boolean;
            package: components["schemas"]["PackagePlace"];
            /** Format: date-time */
            published?: string;
            /** Format: int64 */
            rowID: number;
            /**
             * Format: double
             * @description CVSS base score
             */
            score?: number;
            severity: components["schemas"]["Severity"];
            /** @description Who rated it */
            severitySource?: string;
            /** Format: date-time */
            since: string;
            /** @description Why it is not counted */
            suppressed?: string;
            title?: string;
            /** @description Says the distribution; not counted */
            unimportant?: boolean;
            /** Format: date-time */
            until?: string;
            /** @description CVSS vector of that score */
            vector?: string;
        };
        /** @enum {string} */
        FixState: "fixed" | "not_fixed" | "will_not_fix" | "unknown";
        Format: {
            id: string;
            label: components["schemas"]["Text"];
            /** Format: int64 */
            limit: number;
        };
        Health: {
            addresses?: string[];
            /** Format: date-time */
            checked?: string;
            reason?: components["schemas"]["Text"];
            remedy?: components["schemas"]["Text"];
            status: string;
        };
        HostFacets: {
            engines: components["schemas"]["Facet"][];
            labels: components["schemas"]["Facet"][];
            projects: components["schemas"]["Facet"][];
        };
        HostFilter: {
            assets?: number[];
            engines?: components["schemas"]["EngineKind"][];
            ids?: string[];
            imageIDs?: string[];
            labels?: string[];
            online?: boolean;
            projects?: string[];
            search?: string;
        };
        HostRow: {
            /** Format: int64 */
            agentID: number;
            architecture?: string;
            /** Format: int64 */
            atRisk: number;
            /** Format: int64 */
            containers: number;
            engines?: components["schemas"]["EngineInfo"][];
            error?: components["schemas"]["Error"];
            id: string;
            /** Format: int64 */
            images: number;
            ips?: string[];
            kernel?: string;
            labels?: {
                [key: string]: string;
            };
            name: string;
            online: boolean;
            os?: string;
            problems?: components["schemas"]["Problem"][];
            project?: string;
            /** Format: int64 */
            running: number;
            /** Format: date-time */
            seen?: string;
            /** Format: date-time */
            updated?: string;
        };
        Image: {
            author?: string;
            config: components["schemas"]["Config"];
            /** Format: date-time */
            created?: string;
            digest?: string;
            distro?: components["schemas"]["Distro"];
            history?: components["schemas"]["Instruction"][];
            id?: string;
            indexDigest?: string;
            kind: string;
            name: string;
            platform: components["schemas"]["Platform"];
            readFrom?: string;
            /** Format: int64 */
            size: number;
            tags?: string[];
        };
        /** @enum {string} */
        ImageSource: "registry" | "local" | "all" | "";
        Instruction: {
            comment?: string;
            /** Format: date-time */
            created?: string;
            createdBy?: string;
            empty?: boolean;
            /** Format: int64 */
            layer?: number;
        };
        KEV: {
            action?: string;
            dateAdded: string;
            dueDate?: string;
            name?: string;
            ransomware?: boolean;
        };
        Kind: {
            columns: components["schemas"]["Column"][];
            filters: string[];
            id: string;
            label: components["schemas"]["Text"];
            sorts: string[];
        };
        Knowledge: {
            /**
             * Format: int64
             * @description Since then
             */
            ageSeconds?: number;
            /**
             * Format: date-time
             * @description When the bundle in force was made
             */
            built?: string;
            /** @description False while no feed was taken in: vulnerabilities are then unknown */
            known: boolean;
            /**
             * Format: int64
             * @description Of these: digests of malicious files
             */
            malware: number;
            /**
             * Format: int64
             * @description Advisories, CVEs, scores and hashes
             */
            records: number;
            /** @description Older than a week */
            stale: boolean;
            /** @description An update runs */
            waiting: boolean;
        };
        LastUpdate: {
            /** @description It runs while it has no end; missing before the first */
            last?: components["schemas"]["DataUpdate"];
        };
        Layer: {
            attested?: boolean;
            diffID?: string;
            digest?: string;
            /** Format: int64 */
            entries?: number;
            /** Format: int64 */
            index: number;
            instruction?: string;
            mediaType?: string;
            reason?: string;
            /** Format: int64 */
            size: number;
            state?: components["schemas"]["LayerState"];
            /** Format: int64 */
            uncompressed?: number;
        };
        LayerFindings: {
            malware: components["schemas"]["BySeverity"];
            /** Format: int64 */
            packages: number;
            secrets: components["schemas"]["BySeverity"];
            vulnerabilities: components["schemas"]["BySeverity"];
        };
        /** @enum {string} */
        LayerState: "read" | "cached" | "foreign" | "encrypted" | "unreadable" | "not_read";
        Licence: {
            action: string;
            /** Format: date-time */
            at: string;
            by: string;
            /** Format: int64 */
            entryID: number;
            image?: string;
            imageID: string;
        };
        LicenceRequest: {
            /**
             * Format: int64
             * @description Spend so many units at most: on contents in use first, then newest tags, then those pushed first
             */
            atMost?: number;
            /** @description As for the list of images */
            filter?: components["schemas"]["AssetFilter"];
        };
        MalwareRow: {
            advice?: components["schemas"]["Text"];
            also?: components["schemas"]["Detection"][];
            author?: string;
            engine: string;
            engines?: string[];
            evidence?: string[];
            family?: string;
            fileType?: string;
            /** @description A row of the list of images that has it */
            image?: components["schemas"]["AssetName"];
            imageID: string;
            /** Format: int64 */
            images?: number;
            kind?: string;
            list?: string;
            md5?: string;
            name: string;
            origin?: components["schemas"]["Origin"];
            pack?: components["schemas"]["RulePack"];
            path: string;
            reference?: string;
            /** Format: int64 */
            rowID: number;
            severity: components["schemas"]["Severity"];
            sha1?: string;
            sha256?: string;
            /** Format: date-time */
            since: string;
            /** Format: int64 */
            size: number;
            suppressed?: string;
            title?: components["schemas"]["Text"];
            /** Format: date-time */
            until?: string;
        };
        Metric: {
            name: components["schemas"]["Text"];
            value: components["schemas"]["Text"];
        };
        Moment: {
            /** Format: date-time */
            at: string;
            /** @description A row of the list of images that has it */
            image?: components["schemas"]["AssetName"];
            imageID: string;
        };
        /** @enum {string} */
        MustFix: "exploited" | "likely_exploited" | "critical_fixable";
        NameCheck: {
            available: boolean;
            reason?: string;
            remedy?: string;
        };
        NewToken: {
            by: string;
            /** @description Ways to start an agent with it, to be copied */
            commands: components["schemas"]["AgentCommand"][];
            /** Format: date-time */
            created: string;
            /** Format: date-time */
            expires: string;
            /** Format: int64 */
            id: number;
            kind: components["schemas"]["AgentKind"];
            note?: string;
            project?: string;
            /** Format: date-time */
            revoked?: string;
            /** @description Shown now and never again */
            secret: string;
            /** @description What agents connect to */
            server: string;
            site?: string;
            /** Format: int64 */
            used: number;
            /** Format: int64 */
            uses: number;
        };
        Origin: {
            /** Format: int64 */
            deletedBy?: number;
            diffID?: string;
            instruction?: string;
            /** Format: int64 */
            layer: number;
            path?: string;
        };
        Overview: {
            /** Format: int64 */
            atRisk: number;
            byStatus: {
                [key: string]: number;
            };
            byWorst: {
                [key: string]: number;
            };
            /** Format: int64 */
            containers: number;
            counters: components["schemas"]["Counters"];
            distinctIDs: components["schemas"]["BySeverity"];
            /** Format: int64 */
            exploited: number;
            /** Format: int64 */
            highPriority: number;
            /** Format: int64 */
            hosts: number;
            /** Format: int64 */
            hostsOnline: number;
            /** Format: int64 */
            images: number;
            /** Format: date-time */
            lastScan?: string;
            /** Format: int64 */
            newRiskyToday: number;
            /** Format: int64 */
            newToday: number;
            /** Format: int64 */
            noRisk: number;
            /** Format: int64 */
            pending: number;
            /** Format: int64 */
            recommended: number;
            /** Format: int64 */
            registries: number;
            /** Format: int64 */
            repositories: number;
            /** Format: int64 */
            rows: number;
            /** Format: int64 */
            running: number;
            /** Format: int64 */
            unknown: number;
            /** Format: int64 */
            waiting: number;
        };
        Package: {
            arch?: string;
            declared?: boolean;
            ecosystem?: string;
            foundBy?: string;
            licenses?: string[];
            /** Format: int64 */
            line?: number;
            module?: string;
            name: string;
            origin?: components["schemas"]["Origin"];
            ownedBy?: string;
            path: string;
            purl?: string;
            scope?: string;
            source?: components["schemas"]["Source"];
            type: string;
            version: string;
        };
        PackagePlace: {
            arch?: string;
            /**
             * Format: int64
             * @description Index of the layer that removed it again; it can still be pulled
             */
            deletedBy?: number;
            ecosystem?: string;
            /**
             * Format: int64
             * @description Index of the layer that brought it
             */
            layer?: number;
            name: string;
            /** @description The package of the distribution whose files these are */
            ownedBy?: string;
            /** @description The file that names it; nested in archives by !/ */
            path?: string;
            type: string;
            version: string;
        };
        PageAdoption: {
            items: components["schemas"]["Adoption"][];
            next?: string;
            /** Format: int64 */
            total?: number;
        };
        PageAgent: {
            items: components["schemas"]["Agent"][];
            next?: string;
            /** Format: int64 */
            total?: number;
        };
        PageAgentToken: {
            items: components["schemas"]["AgentToken"][];
            next?: string;
            /** Format: int64 */
            total?: number;
        };
        PageAssetRow: {
            items: components["schemas"]["AssetRow"][];
            next?: string;
            /** Format: int64 */
            total?: number;
        };
        PageAuditEntry: {
            items: components["schemas"]["AuditEntry"][];
            next?: string;
            /** Format: int64 */
            total?: number;
        };
        PageComponentRow: {
            items: components["schemas"]["ComponentRow"][];
            next?: string;
            /** Format: int64 */
            total?: number;
        };
        PageContainerRow: {
            items: components["schemas"]["ContainerRow"][];
            next?: string;
            /** Format: int64 */
            total?: number;
        };
        PageDay: {
            items: components["schemas"]["Day"][];
            next?: string;
            /** Format: int64 */
            total?: number;
        };
        PageExportRow: {
            items: components["schemas"]["ExportRow"][];
            next?: string;
            /** Format: int64 */
            total?: number;
        };
        PageFindingEvent: {
            items: components["schemas"]["FindingEvent"][];
            next?: string;
            /** Format: int64 */
            total?: number;
        };
        PageFindingRow: {
            items: components["schemas"]["FindingRow"][];
            next?: string;
            /** Format: int64 */
            total?: number;
        };
        PageHostRow: {
            items: components["schemas"]["HostRow"][];
            next?: string;
            /** Format: int64 */
            total?: number;
        };
        PageLicence: {
            items: components["schemas"]["Licence"][];
            next?: string;
            /** Format: int64 */
            total?: number;
        };
        PageMalwareRow: {
            items: components["schemas"]["MalwareRow"][];
            next?: string;
            /** Format: int64 */
            total?: number;
        };
        PagePlacedFinding: {
            items: components["schemas"]["PlacedFinding"][];
            next?: string;
            /** Format: int64 */
            total?: number;
        };
        PagePlacedMalware: {
            items: components["schemas"]["PlacedMalware"][];
            next?: string;
            /** Format: int64 */
            total?: number;
        };
        PagePlacedPackage: {
            items: components["schemas"]["PlacedPackage"][];
            next?: string;
            /** Format: int64 */
            total?: number;
        };
        PagePlacedSecret: {
            items: components["schemas"]["PlacedSecret"][];
            next?: string;
            /** Format: int64 */
            total?: number;
        };
        PageQuotaEntry: {
            items: components["schemas"]["QuotaEntry"][];
            next?: string;
            /** Format: int64 */
            total?: number;
        };
        PageRegistry: {
            items: components["schemas"]["Registry"][];
            next?: string;
            /** Format: int64 */
            total?: number;
        };
        PageRepositoryRow: {
            items: components["schemas"]["RepositoryRow"][];
            next?: string;
            /** Format: int64 */
            total?: number;
        };
        PageScanRow: {
            items: components["schemas"]["ScanRow"][];
            next?: string;
            /** Format: int64 */
            total?: number;
        };
        PageSchedule: {
            items: components["schemas"]["Schedule"][];
            next?: string;
            /** Format: int64 */
            total?: number;
        };
        PageScheduleRun: {
            items: components["schemas"]["ScheduleRun"][];
            next?: string;
            /** Format: int64 */
            total?: number;
        };
        PageSecretRow: {
            items: components["schemas"]["SecretRow"][];
            next?: string;
            /** Format: int64 */
            total?: number;
        };
        PageTaskRow: {
            items: components["schemas"]["TaskRow"][];
            next?: string;
            /** Format: int64 */
            total?: number;
        };
        PageVulnerabilityRow: {
            items: components["schemas"]["VulnerabilityRow"][];
            next?: string;
            /** Format: int64 */
            total?: number;
        };
        PlacedFinding: {
            aliases?: string[];
            cvss?: components["schemas"]["CVSS"][];
            cwes?: string[];
            details?: string;
            epss?: components["schemas"]["EPSS"];
            fixAdvice?: components["schemas"]["Text"];
            fixedVersion?: string;
            fixState: components["schemas"]["FixState"];
            id: string;
            imageID: string;
            kev?: components["schemas"]["KEV"];
            package: components["schemas"]["Package"];
            proof: components["schemas"]["Proof"][];
            /** Format: date-time */
            published?: string;
            references?: components["schemas"]["Reference"][];
            /** Format: int64 */
            rowID: number;
            severity: components["schemas"]["Severity"];
            severitySource?: string;
            /** Format: date-time */
            since: string;
            suppressed?: string;
            title?: string;
            unimportant?: boolean;
            /** Format: date-time */
            until?: string;
        };
        PlacedMalware: {
            advice?: components["schemas"]["Text"];
            also?: components["schemas"]["Detection"][];
            author?: string;
            engine: string;
            engines?: string[];
            evidence?: string[];
            family?: string;
            fileType?: string;
            imageID: string;
            /** Format: int64 */
            images?: number;
            kind?: string;
            list?: string;
            md5?: string;
            name: string;
            origin?: components["schemas"]["Origin"];
            pack?: components["schemas"]["RulePack"];
            path: string;
            reference?: string;
            /** Format: int64 */
            rowID: number;
            severity: components["schemas"]["Severity"];
            sha1?: string;
            sha256?: string;
            /** Format: date-time */
            since: string;
            /** Format: int64 */
            size: number;
            suppressed?: string;
            title?: components["schemas"]["Text"];
            /** Format: date-time */
            until?: string;
        };
        PlacedPackage: {
            /** Format: int64 */
            componentID: number;
            package: components["schemas"]["Package"];
            /** Format: int64 */
            vulnerabilities: number;
            worst?: components["schemas"]["Severity"];
        };
        PlacedSecret: {
            advice?: components["schemas"]["Text"];
            hash?: string;
            imageID: string;
            /** Format: int64 */
            images?: number;
            /** Format: int64 */
            line?: number;
            origin?: components["schemas"]["Origin"];
            path?: string;
            preview: string;
            /** Format: int64 */
            rowID: number;
            rule: string;
            severity: components["schemas"]["Severity"];
            /** Format: date-time */
            since: string;
            source: string;
            suppressed?: string;
            title?: string;
            type?: string;
            /** Format: date-time */
            until?: string;
        };
        Platform: {
            architecture: string;
            os: string;
            osVersion?: string;
            variant?: string;
        };
        Problem: {
            analyzer?: string;
            code: string;
            /** Format: int64 */
            layer?: number;
            message: string;
            partial?: boolean;
            path?: string;
            remedy?: string;
        };
        ProblemDetails: {
            /** @description Stable; programs and translations go by it */
            code: string;
            /** @description What happened, in one line */
            detail?: string;
            /** @description Where in the request */
            errors?: components["schemas"]["FieldError"][];
            /** @description Values that belong to the code, for translations */
            params?: {
                [key: string]: unknown;
            };
            /** @description What to do about it */
            remedy?: string;
            /** @description Finds the request in the service's log */
            requestID?: string;
            /**
             * Format: int64
             * @description The HTTP status
             */
            status: number;
            /** @description The status in words */
            title: string;
            /**
             * @description Names the code as a URI reference
             * @example /problems/not_found
             */
            type: string;
        };
        Proof: {
            advisory: string;
            decision: string;
            ecosystem: string;
            feed?: string;
            name: string;
            range: string;
            /** Format: date-time */
            revision?: string;
            url?: string;
            version: string;
        };
        QuotaAutoRule: {
            enabled: boolean;
            /** @description Which; everything when it is empty */
            filter?: components["schemas"]["AssetFilter"];
            /**
             * Format: int64
             * @description Contents in a day (UTC); 0 is unlimited
             */
            perDay?: number;
        };
        QuotaEntry: {
            action: string;
            /** Format: date-time */
            at: string;
            by: string;
            detail?: string;
            /** Format: int64 */
            id: number;
            /** Format: int64 */
            images: number;
            reason?: string;
            /** Format: int64 */
            refused: number;
            /** Format: int64 */
            total: number;
            /** Format: int64 */
            used: number;
        };
        QuotaInput: {
            auto?: components["schemas"]["QuotaAutoRule"];
            /** @description While it is off nothing is counted and everything is scanned */
            enabled: boolean;
            /**
             * Format: int64
             * @description Units: one for each image content
             */
            total: number;
        };
        QuotaNeed: {
            /** Format: int64 */
            auto: number;
            enabled: boolean;
            enough: boolean;
            /** Format: int64 */
            images: number;
            /** Format: int64 */
            left: number;
            /** Format: int64 */
            licensed: number;
            /** Format: int64 */
            needed: number;
            /** Format: int64 */
            rows: number;
            /** Format: int64 */
            unread: number;
        };
        QuotaState: {
            auto: components["schemas"]["AutoRule"];
            /** Format: int64 */
            autoToday: number;
            by?: string;
            enabled: boolean;
            /** Format: int64 */
            images: number;
            /** Format: int64 */
            left: number;
            /** Format: int64 */
            total: number;
            /** Format: int64 */
            unlicensed: number;
            /** Format: date-time */
            updated?: string;
            /** Format: int64 */
            used: number;
        };
        Reference: {
            type?: string;
            url: string;
        };
        Registry: {
            /** @example https://registry.example.com */
            address: string;
            /**
             * Format: int64
             * @description Of these
             */
            atRisk: number;
            /** @description PEM certificates, trusted beside the system's */
            ca?: string;
            /** Format: date-time */
            created: string;
            hasPassword: boolean;
            health: components["schemas"]["Health"];
            /**
             * Format: int64
             * @description Images pulled in a rolling hour; 0 is unlimited
             */
            hourlyLimit?: number;
            /** Format: int64 */
            id: number;
            /**
             * Format: int64
             * @description Rows of the list of images
             */
            images: number;
            /** @description Accept any certificate */
            insecure?: boolean;
            /** @description One of /registry-kinds */
            kind: string;
            name: string;
            /**
             * @description Only repositories below these; empty is all
             * @example [
             *       "team"
             *     ]
             */
            namespaces?: string[];
            /**
             * @default public
             * @enum {string}
             */
            networkType: "public" | "private";
            /** @description URL, or none; empty is what the service's environment says */
            proxy?: string;
            /**
             * Format: int64
             * @description Images pulled in the past 60 minutes
             */
            pulledHour: number;
            /** @default default */
            region: string;
            /** Format: int64 */
            repositories: number;
            /**
             * @description The repositories of a registry that cannot list them; empty asks the registry
             * @example [
             *       "library/debian"
             *     ]
             */
            repositoryNames?: string[];
            /** @description Whose agent reads it; empty is the service itself */
            site?: string;
            sync: components["schemas"]["SyncStatus"];
            /** Format: date-time */
            updated: string;
            username?: string;
            /**
             * @description Empty finds out
             * @example V2
             */
            version?: string;
        };
        RegistryCondition: {
            field: string;
            values: unknown[];
        };
        RegistryCounts: {
            /**
             * Format: int64
             * @description The connection test or the last synchronisation failed
             */
            failing: number;
            /** Format: int64 */
            healthy: number;
            /** Format: int64 */
            syncing: number;
            /** Format: int64 */
            total: number;
            /**
             * Format: int64
             * @description Never tested and never synchronised
             */
            unknown: number;
        };
        RegistryEndpoint: {
            /** @description HOST:PORT */
            endpoints: string[];
            /** Format: int64 */
            id: number;
            name: string;
        };
        RegistryField: {
            default?: unknown;
            help?: components["schemas"]["Text"];
            label: components["schemas"]["Text"];
            name: string;
            negated?: boolean;
            options?: components["schemas"]["RegistryOption"][];
            placeholder?: string;
            required?: boolean;
            type: string;
            visibleWhen?: components["schemas"]["RegistryCondition"];
        };
        RegistryHealth: {
            agent?: string;
            /** Format: date-time */
            checked: string;
            endpoints?: string[];
            /** Format: int64 */
            latency: number;
            message?: string;
            product?: string;
            reason?: components["schemas"]["Text"];
            remedy?: components["schemas"]["Text"];
            sources?: string[];
            status: string;
            version?: string;
            warnings?: components["schemas"]["RegistryWarning"][];
        };
        RegistryInput: {
            /** @example https://registry.example.com */
            address: string;
            /** @description PEM certificates, trusted beside the system's */
            ca?: string;
            /**
             * Format: int64
             * @description Images pulled in a rolling hour; 0 is unlimited
             */
            hourlyLimit?: number;
            /** @description Accept any certificate */
            insecure?: boolean;
            /** @description One of /registry-kinds */
            kind: string;
            name: string;
            /**
             * @description Only repositories below these; empty is all
             * @example [
             *       "team"
             *     ]
             */
            namespaces?: string[];
            /**
             * @default public
             * @enum {string}
             */
            networkType: "public" | "private";
            /**
             * Format: password
             * @description Left out on a change, the stored one stays; empty removes it
             */
            password?: string;
            /** @description URL, or none; empty is what the service's environment says */
            proxy?: string;
            /** @default default */
            region: string;
            /**
             * @description The repositories of a registry that cannot list them; empty asks the registry
             * @example [
             *       "library/debian"
             *     ]
             */
            repositoryNames?: string[];
            /** @description Whose agent reads it; empty is the service itself */
            site?: string;
            username?: string;
            /**
             * @description Empty finds out
             * @example V2
             */
            version?: string;
            /**
             * Format: password
             * @description As for the password
             */
            webhookSecret?: string;
        };
        RegistryKind: {
            /** @description In the order of the form */
            fields: components["schemas"]["RegistryField"][];
            kind: string;
            label: components["schemas"]["Text"];
        };
        RegistryOption: {
            label: components["schemas"]["Text"];
            value: unknown;
        };
        RegistryWarning: {
            reason: components["schemas"]["Text"];
            remedy?: components["schemas"]["Text"];
        };
        RepositoryRow: {
            /** Format: int64 */
            atRisk: number;
            /** Format: int64 */
            id?: number;
            /** Format: int64 */
            images: number;
            /** Format: date-time */
            lastSeen: string;
            name?: string;
            namespace: string;
            /** Format: int64 */
            registryID: number;
            registryName: string;
            /** Format: int64 */
            repositories: number;
            /** Format: int64 */
            unscanned: number;
        };
        RescanTaskRequest: {
            /** @description Only those whose scan failed */
            failedOnly?: boolean;
        };
        /** @enum {string} */
        Risk: "unknown" | "none" | "at_risk";
        RulePack: {
            author?: string;
            license?: string;
            name: string;
            source?: string;
            version?: string;
        };
        RunTask: {
            /** Format: int64 */
            atRisk: number;
            /** Format: int64 */
            cancelled: number;
            /** Format: date-time */
            ended?: string;
            /** Format: int64 */
            failed: number;
            /** Format: int64 */
            id: number;
            /** Format: int64 */
            scanned: number;
            /**
             * Format: int64
             * @description Contents, without those that were put back
             */
            total: number;
            /**
             * Format: int64
             * @description Left out, because the quota does not cover them
             */
            unlicensed: number;
        };
        ScanFilter: {
            created?: components["schemas"]["TimeRange"];
            imageIDs?: string[];
            phase?: string;
            status?: components["schemas"]["Status"][];
            tasks?: number[];
        };
        /** @enum {string} */
        ScanPhase: "waiting" | "running" | "ended";
        ScanPreview: {
            /**
             * Format: int64
             * @description Missing when nobody works on scans
             */
            estimateSeconds?: number;
            /**
             * Format: int64
             * @description Distinct contents: as many scans
             */
            images: number;
            /** @description The first of them, in the order in which they would be scanned */
            items: components["schemas"]["AssetRow"][];
            /**
             * Format: int64
             * @description Of these: being scanned or waiting already
             */
            joining: number;
            /**
             * Format: int64
             * @description Compressed bytes of images that were never scanned
             */
            newBytes: number;
            /**
             * Format: int64
             * @description Of the list of images
             */
            rows: number;
            /**
             * Format: int64
             * @description Rows whose content is not known yet; their manifests are read first
             */
            unread: number;
        };
        ScanRequest: {
            categories: components["schemas"]["Category"][];
            /** @description As for the list of images */
            filter?: components["schemas"]["AssetFilter"];
            /** @description Read every layer again, even if nothing changed */
            forced?: boolean;
            /** @description specified: the rows of filter.ids, or the contents of filter.imageIDs */
            scope: components["schemas"]["Scope"];
            /**
             * Format: int64
             * @description For each image; 0 is the default of the settings
             */
            timeoutSeconds?: number;
        };
        ScanRow: {
            /** Format: int64 */
            attempt: number;
            categories: components["schemas"]["Category"][];
            /** Format: date-time */
            created: string;
            /**
             * Format: int64
             * @description Until now, or until it ended
             */
            durationSeconds?: number;
            /** Format: date-time */
            ended?: string;
            /** @description Why it failed, and what to do about it */
            error?: components["schemas"]["Error"];
            /** Format: int64 */
            id: number;
            /** @description A row of the list of images that has this content; missing when it is gone */
            image?: components["schemas"]["AssetName"];
            imageID: string;
            /**
             * Format: int64
             * @description Of the whole scan
             */
            percent: number;
            phase: components["schemas"]["ScanPhase"];
            /**
             * Format: int64
             * @description 1 push and admission, 2 by hand, 3 schedule, 4 re-reading
             */
            priority: number;
            /** @description Per cent of each category */
            progress: {
                [key: string]: number;
            };
            /** Format: int64 */
            remainingSeconds?: number;
            /** Format: date-time */
            started?: string;
            status: components["schemas"]["Status"];
            worker?: string;
        };
        Schedule: {
            /** @description Who changed it last */
            by: string;
            categories: components["schemas"]["Category"][];
            /** Format: date-time */
            created: string;
            enabled: boolean;
            /**
             * @description HH:MM; not later than the start: on the next day; empty: until the next opening
             * @example 05:00
             */
            end?: string;
            /**
             * Format: int64
             * @description The cycle in days; 0 when weekdays choose
             * @example 7
             */
            everyDays?: number;
            /** @description Narrows the scope, as for the list of images; exclude takes rows out */
            filter?: components["schemas"]["AssetFilter"];
            /** @description A day of the cycle, YYYY-MM-DD; empty is the day on which it is made */
            firstDay?: string;
            /** Format: int64 */
            id: number;
            /**
             * @default repository
             * @enum {string}
             */
            kind: "repository" | "local";
            /** @description The newest run */
            last?: components["schemas"]["ScheduleRun"];
            name: string;
            /**
             * Format: date-time
             * @description When it opens next; missing while it is off
             */
            next?: string;
            /**
             * Format: int64
             * @description Contents that were put back when the last window closed; they go first in the next run
             */
            rest: number;
            /**
             * @description Looked at when a run starts
             * @enum {unknown}
             */
            scope: components["schemas"]["Scope"];
            /**
             * @description HH:MM in the zone. A time that a day does not have is when the clock jumps over it; of one that it has twice, the first
             * @example 01:00
             */
            start: string;
            /**
             * Format: int64
             * @description For each image; 0 is the default of the settings
             */
            timeoutSeconds?: number;
            /** Format: date-time */
            updated: string;
            weekdays?: ("mon" | "tue" | "wed" | "thu" | "fri" | "sat" | "sun")[];
            /**
             * @description IANA
             * @example Europe/Berlin
             */
            zone: string;
        };
        SchedulePreview: {
            /**
             * Format: date-time
             * @description When the first of them closes
             */
            closes: string;
            /**
             * Format: int64
             * @description Missing when nobody works on scans
             */
            estimateSeconds?: number;
            /**
             * Format: int64
             * @description Distinct contents: as many scans
             */
            images: number;
            /** @description The first of them */
            items: components["schemas"]["AssetRow"][];
            /**
             * Format: int64
             * @description Of these: being scanned or waiting already
             */
            joining: number;
            /** @description The next openings */
            opens: string[];
            quota: components["schemas"]["QuotaNeed"];
            /**
             * Format: int64
             * @description Contents that were put back and are still in scope
             */
            rest: number;
            /**
             * Format: int64
             * @description Of the list of images
             */
            rows: number;
            /**
             * Format: int64
             * @description Rows whose content is not known yet
             */
            unread: number;
        };
        ScheduleRun: {
            /** @description schedule, or who asked */
            by: string;
            /**
             * Format: date-time
             * @description What waits then is put back
             */
            closes: string;
            /**
             * Format: date-time
             * @description When its images were done, or when it closed: those being scanned then are finished
             */
            ended?: string;
            error?: components["schemas"]["Error"];
            /** Format: int64 */
            id: number;
            /**
             * Format: date-time
             * @description When it was due
             */
            opens: string;
            /**
             * Format: int64
             * @description Contents that go on in the next run
             */
            putBack: number;
            /**
             * @description Missing while it runs
             * @enum {string}
             */
            result?: "success" | "nothing_to_scan" | "insufficient_quota" | "error";
            /** Format: date-time */
            started: string;
            /** @description Missing when there was nothing to do */
            task?: components["schemas"]["RunTask"];
        };
        ScheduleSettings: {
            categories: components["schemas"]["Category"][];
            enabled: boolean;
            /**
             * @description HH:MM; not later than the start: on the next day; empty: until the next opening
             * @example 05:00
             */
            end?: string;
            /**
             * Format: int64
             * @description The cycle in days; 0 when weekdays choose
             * @example 7
             */
            everyDays?: number;
            /** @description Narrows the scope, as for the list of images; exclude takes rows out */
            filter?: components["schemas"]["AssetFilter"];
            /** @description A day of the cycle, YYYY-MM-DD; empty is the day on which it is made */
            firstDay?: string;
            /**
             * @default repository
             * @enum {string}
             */
            kind: "repository" | "local";
            name: string;
            /**
             * @description Looked at when a run starts
             * @enum {unknown}
             */
            scope: components["schemas"]["Scope"];
            /**
             * @description HH:MM in the zone. A time that a day does not have is when the clock jumps over it; of one that it has twice, the first
             * @example 01:00
             */
            start: string;
            /**
             * Format: int64
             * @description For each image; 0 is the default of the settings
             */
            timeoutSeconds?: number;
            weekdays?: ("mon" | "tue" | "wed" | "thu" | "fri" | "sat" | "sun")[];
            /**
             * @description IANA
             * @example Europe/Berlin
             */
            zone: string;
        };
        /** @enum {string} */
        Scope: "recommended" | "all" | "specified";
        Score: {
            metrics: components["schemas"]["Metric"][];
            /** Format: double */
            score: number;
            severity: components["schemas"]["Severity"];
            /** @description Who scored */
            source?: string;
            vector: string;
            /** @example 3.1 */
            version: string;
        };
        SecretRow: {
            advice?: components["schemas"]["Text"];
            hash?: string;
            /** @description A row of the list of images that has it */
            image?: components["schemas"]["AssetName"];
            imageID: string;
            /** Format: int64 */
            images?: number;
            /** Format: int64 */
            line?: number;
            origin?: components["schemas"]["Origin"];
            path?: string;
            preview: string;
            /** Format: int64 */
            rowID: number;
            rule: string;
            severity: components["schemas"]["Severity"];
            /** Format: date-time */
            since: string;
            source: string;
            suppressed?: string;
            title?: string;
            type?: string;
            /** Format: date-time */
            until?: string;
        };
        SessionInfo: {
            /** Format: date-time */
            created: string;
            /** @description This is a demonstration: images, advisories and credentials are made up */
            demo: boolean;
            /**
             * Format: date-time
             * @description However much it is used
             */
            ends: string;
            /** @description The last event so far: whoever listens after it misses nothing of what changes from now on */
            event: string;
            /**
             * Format: date-time
             * @description Unless the session is used before
             */
            expires: string;
            /** @description Empty until a one-time password was changed */
            rights: string[];
            user: components["schemas"]["User"];
        };
        SetPasswordInputBody: {
            /** Format: password */
            current: string;
            /** Format: password */
            password: string;
        };
        Settings: {
            /** @description Put new feeds in force by themselves; else somebody looks at what they would change, and adopts them */
            autoAdopt: boolean;
            /**
             * Format: int64
             * @description How often feeds are updated; 0 is by hand only
             */
            feedsEveryHours: number;
            /**
             * Format: int64
             * @description Rows that are gone from their registry for so long are removed; 0 keeps them
             */
            purgeGoneDays: number;
            /** @description Scan what a synchronisation found: of a full one the newest tag of each repository, else every new image */
            scanOnSync: boolean;
            /** @description Registries for which it is the other way round */
            scanOnSyncExcept: number[];
            /**
             * Format: int64
             * @description For one image, unless a request says otherwise
             */
            scanTimeoutSeconds: number;
            /** @description When registries are synchronised every day */
            syncWindow: components["schemas"]["SyncWindow"];
        };
        /** @enum {string} */
        Severity: "critical" | "high" | "medium" | "low" | "negligible" | "unknown";
        SignInInputBody: {
            name: string;
            /** Format: password */
            password: string;
        };
        Source: {
            name: string;
            version: string;
        };
        /** @enum {string} */
        Status: "not_scanned" | "scanning" | "scanned" | "cancelled" | "failed";
        SyncRequest: {
            /** @description List everything; else only what is new, where the registry can tell */
            full?: boolean;
            /** @description Registries; left out, all of them */
            ids?: number[];
        };
        SyncRun: {
            /** Format: int64 */
            added: number;
            /** Format: int64 */
            changed: number;
            /** Format: int64 */
            done: number;
            /** Format: date-time */
            ended?: string;
            error?: components["schemas"]["Error"];
            full: boolean;
            /** Format: int64 */
            gone: number;
            /** Format: int64 */
            id: number;
            reason: string;
            /** Format: int64 */
            registryID: number;
            /** Format: date-time */
            started: string;
            state: string;
            /** Format: int64 */
            total: number;
        };
        SyncStarted: {
            /** @description Registries that were at it already */
            running: number[];
            /** @description Registries that wait for it now */
            started: number[];
        };
        SyncStatus: {
            /** Format: int64 */
            done: number;
            /** Format: date-time */
            ended?: string;
            error?: components["schemas"]["Error"];
            full: boolean;
            /** Format: int64 */
            hinted?: number;
            /** Format: date-time */
            lastSuccess?: string;
            /** Format: date-time */
            started?: string;
            state: string;
            /** Format: int64 */
            total: number;
        };
        SyncWindow: {
            enabled: boolean;
            /** @example 00:00 */
            from: string;
            /** @example 03:00 */
            to: string;
            /**
             * @description As the IANA names it, empty for the server's; days of the overview begin in it
             * @example Asia/Shanghai
             */
            zone: string;
        };
        TaskFilter: {
            created?: components["schemas"]["TimeRange"];
            creator?: string;
            imageIDs?: string[];
            kinds?: components["schemas"]["TaskKind"][];
            running?: boolean;
        };
        /** @enum {string} */
        TaskKind: "manual" | "schedule" | "webhook" | "rescan";
        TaskRow: {
            /**
             * Format: int64
             * @description Of those that were scanned
             */
            atRisk: number;
            /** Format: int64 */
            cancelled: number;
            categories: components["schemas"]["Category"][];
            /** Format: date-time */
            created: string;
            creator: string;
            /** Format: date-time */
            ended?: string;
            /** Format: int64 */
            failed: number;
            /** @description Every layer is read again */
            forced: boolean;
            /** Format: int64 */
            id: number;
            kind: components["schemas"]["TaskKind"];
            /**
             * Format: int64
             * @description Per cent of the whole task
             */
            progress: number;
            /**
             * Format: int64
             * @description Estimated by the pace until now; missing while that is not known
             */
            remainingSeconds?: number;
            /** Format: int64 */
            running: number;
            /** Format: int64 */
            scanned: number;
            state: components["schemas"]["TaskState"];
            /**
             * Format: int64
             * @description For each image; 0 is none
             */
            timeoutSeconds: number;
            /**
             * Format: int64
             * @description Contents: as many scans
             */
            total: number;
            /**
             * Format: int64
             * @description Left out, because the quota does not cover them
             */
            unlicensed: number;
            /**
             * Format: int64
             * @description Of these
             */
            waiting: number;
        };
        /** @enum {string} */
        TaskState: "running" | "success" | "partial" | "cancelled" | "failed";
        Text: {
            en?: string;
            zh?: string;
        };
        TimeRange: {
            /** Format: date-time */
            from?: string;
            /** Format: date-time */
            to?: string;
        };
        TokenInput: {
            /**
             * Format: int64
             * @default 24
             */
            expiresHours: number;
            /**
             * @description host: tells about the images of its host. site: reads registries that only its network reaches
             * @default host
             * @enum {unknown}
             */
            kind: components["schemas"]["AgentKind"];
            note?: string;
            /** @description Business group of hosts that name none */
            project?: string;
            /** @description Of kind site alone */
            site?: string;
            /**
             * Format: int64
             * @description How many agents may enrol with it
             * @default 1
             */
            uses: number;
        };
        TopLists: {
            /** @description Images of high priority, most critical vulnerabilities first */
            images: components["schemas"]["AssetRow"][];
            /** @description Vulnerabilities of newest images */
            newest: components["schemas"]["VulnerabilityRow"][];
            /** @description Vulnerabilities of images that containers use */
            running: components["schemas"]["VulnerabilityRow"][];
        };
        UpdateInput: {
            /** @description Empty is all that have an agent */
            hosts?: string[];
        };
        User: {
            /** Format: date-time */
            created: string;
            disabled: boolean;
            /** Format: int64 */
            id: number;
            /** Format: date-time */
            lastSeen?: string;
            mustSet: boolean;
            name: string;
            role: string;
            /** Format: date-time */
            updated: string;
        };
        Vulnerability: {
            aliases: string[];
            /** Format: int64 */
            containers?: number;
            /** @description Newest version first */
            cvss: components["schemas"]["Score"][];
            cwes: string[];
            description?: string;
            epss?: components["schemas"]["EPSS"];
            /** Format: date-time */
            firstSeen: string;
            fixable: boolean;
            /** @description Newest first; at most 200 */
            history: components["schemas"]["FindingEvent"][];
            id: string;
            /** Format: int64 */
            images: number;
            kev?: components["schemas"]["KEV"];
            /** Format: date-time */
            lastSeen: string;
            /** Format: int64 */
            local?: number;
            /** @description Why it should be fixed first; empty when nothing says so */
            mustFix: components["schemas"]["MustFix"][];
            /** @description Packages of images that have it now, worst first; at most 1000 */
            packages: components["schemas"]["AffectedPackage"][];
            /** Format: date-time */
            published?: string;
            references: components["schemas"]["Reference"][];
            /** Format: int64 */
            repositories?: number;
            /** Format: double */
            score: number;
            severity: components["schemas"]["Severity"];
            /** @description Who rated it */
            severitySource?: string;
            title?: string;
        };
        VulnerabilityRow: {
            /** Format: int64 */
            containers?: number;
            epss?: components["schemas"]["EPSS"];
            /** Format: date-time */
            firstSeen: string;
            fixable: boolean;
            id: string;
            /** Format: int64 */
            images: number;
            kev?: components["schemas"]["KEV"];
            /** Format: date-time */
            lastSeen: string;
            /** Format: int64 */
            local?: number;
            /** Format: date-time */
            published?: string;
            /** Format: int64 */
            repositories?: number;
            /** Format: double */
            score: number;
            severity: components["schemas"]["Severity"];
            title?: string;
        };
    };
    responses: {
        /** @description What went wrong (RFC 9457) */
        Problem: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["ProblemDetails"];
            };
        };
    };
    parameters: {
        /**
         * @description Any value; keeps other sites from asking in the user's name
         * @example pratique
         */
        RequestedWith: string;
    };
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    listAgentTokens: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PageAgentToken"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    createAgentToken: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["TokenInput"];
            };
        };
        responses: {
            /** @description Created */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["NewToken"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    revokeAgentToken: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description No Content */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["Problem"];
        };
    };
    listAgents: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PageAgent"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    revokeAgent: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description No Content */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["Problem"];
        };
    };
    listAudit: {
        parameters: {
            query?: {
                /** @description A whole action, or its beginning up to a dot */
                action?: string;
                /** @description "next" of the page before, with the same filter and order */
                cursor?: string;
                from?: string;
                /** @description Rows of a page */
                limit?: number;
                /** @description Words that occur in target or detail */
                search?: string;
                /** @description A column to sort by, with - before it for descending order: none; the order is fixed */
                sort?: string;
                to?: string;
                /** @description Count the whole list as well */
                total?: boolean;
                user?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PageAuditEntry"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    listComponents: {
        parameters: {
            query?: {
                /** @description Packages of languages */
                application?: boolean;
                /** @description "next" of the page before, with the same filter and order */
                cursor?: string;
                /** @description Rows of a page */
                limit?: number;
                /** @description In an image that is the newest of a repository */
                newest?: boolean;
                /** @description In images of these registries */
                registry?: number[] | null;
                /** @description In an image that a running container uses */
                running?: boolean;
                /** @description Words that occur in name, version or path */
                search?: string;
                /** @description A column to sort by, with - before it for descending order: name, images, vulnerabilities, worst */
                sort?: string;
                /** @description Packages of distributions */
                system?: boolean;
                /** @description Count the whole list as well */
                total?: boolean;
                type?: string[] | null;
                /** @description Only those with a vulnerability */
                vulnerable?: boolean;
                /** @description Severity of the worst vulnerability */
                worst?: ("critical" | "high" | "medium" | "low" | "negligible" | "unknown")[] | null;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PageComponentRow"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    getComponent: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ComponentRow"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    listComponentImages: {
        parameters: {
            query?: {
                /** @description "next" of the page before, with the same filter and order */
                cursor?: string;
                /** @description Rows of a page */
                limit?: number;
                /** @description A column to sort by, with - before it for descending order: name, tag, registry, size, created, pushed, firstSeen, synced, scanned, status, worst, vulnerabilities, critical, secrets, malware, packages, hosts, containers */
                sort?: string;
                /** @description Count the whole list as well */
                total?: boolean;
            };
            header?: never;
            path: {
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PageAssetRow"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    listContainers: {
        parameters: {
            query?: {
                /** @description "next" of the page before, with the same filter and order */
                cursor?: string;
                engine?: ("docker" | "containerd" | "podman")[] | null;
                host?: string[] | null;
                /** @description Rows */
                id?: number[] | null;
                /** @description Contents */
                imageID?: string[] | null;
                /** @description Rows of a page */
                limit?: number;
                project?: string[] | null;
                /** @description Of its image */
                risk?: ("unknown" | "none" | "at_risk")[] | null;
                /** @description Words that all occur in name, id, image, command, pod or the host's name */
                search?: string;
                /** @description A column to sort by, with - before it for descending order: updated, name, state, host, created, worst */
                sort?: string;
                state?: ("created" | "running" | "paused" | "restarting" | "removing" | "exited" | "dead" | "unknown")[] | null;
                /** @description Count the whole list as well */
                total?: boolean;
                /** @description That its image has now */
                vulnerability?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PageContainerRow"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    getContent: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Digest of the image's configuration */
                imageID: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ContentOf"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    compareContent: {
        parameters: {
            query?: {
                /** @description The same image at that time; by default when the scan before the last one ended */
                since?: string;
                /** @description List what did not change as well */
                unchanged?: boolean;
                /** @description An earlier image, such as that of the tag before */
                with?: string;
            };
            header?: never;
            path: {
                /** @description Digest of the image's configuration */
                imageID: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Compared"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    listContentEvents: {
        parameters: {
            query?: {
                /** @description Under this bundle */
                adoption?: number;
                category?: ("vulnerability" | "secret" | "malware" | "software")[] | null;
                cause?: ("image_content" | "advisory_added" | "advisory_changed" | "advisory_withdrawn" | "rules" | "exception")[] | null;
                change?: ("appeared" | "changed" | "fixed" | "suppressed" | "reopened")[] | null;
                component?: number;
                /** @description "next" of the page before, with the same filter and order */
                cursor?: string;
                from?: string;
                /** @description Rows of a page */
                limit?: number;
                /** @description A column to sort by, with - before it for descending order: none; the order is fixed */
                sort?: string;
                to?: string;
                /** @description Count the whole list as well */
                total?: boolean;
                vulnerability?: string;
            };
            header?: never;
            path: {
                /** @description Digest of the image's configuration */
                imageID: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PageFindingEvent"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    getContentHistory: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Digest of the image's configuration */
                imageID: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["BuildHistory"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    listContentMalware: {
        parameters: {
            query?: {
                /** @description "next" of the page before, with the same filter and order */
                cursor?: string;
                engine?: string[] | null;
                /** @description Rows of a page */
                limit?: number;
                /** @description Words that occur in path, name or a digest */
                search?: string;
                severity?: ("critical" | "high" | "medium" | "low" | "negligible" | "unknown")[] | null;
                /** @description A column to sort by, with - before it for descending order: severity, path, name, since */
                sort?: string;
                /** @description Count the whole list as well */
                total?: boolean;
            };
            header?: never;
            path: {
                /** @description Digest of the image's configuration */
                imageID: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PagePlacedMalware"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    listContentPackages: {
        parameters: {
            query?: {
                /** @description Packages of languages */
                application?: boolean;
                /** @description "next" of the page before, with the same filter and order */
                cursor?: string;
                /** @description Rows of a page */
                limit?: number;
                /** @description Words that occur in name, version or path */
                search?: string;
                /** @description A column to sort by, with - before it for descending order: name, type, version, path, layer, vulnerabilities, worst */
                sort?: string;
                /** @description Packages of distributions */
                system?: boolean;
                /** @description Count the whole list as well */
                total?: boolean;
                type?: string[] | null;
                /** @description Only those with a vulnerability */
                vulnerable?: boolean;
                /** @description Severity of the worst vulnerability */
                worst?: ("critical" | "high" | "medium" | "low" | "negligible" | "unknown")[] | null;
            };
            header?: never;
            path: {
                /** @description Digest of the image's configuration */
                imageID: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PagePlacedPackage"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    downloadReport: {
        parameters: {
            query?: {
                format?: "html" | "json" | "cyclonedx" | "spdx" | "table";
                /** @description Of the HTML report */
                lang?: "en" | "zh";
            };
            header?: never;
            path: {
                /** @description Digest of the image's configuration */
                imageID: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The file */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/octet-stream": string;
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    listContentScans: {
        parameters: {
            query?: {
                /** @description "next" of the page before, with the same filter and order */
                cursor?: string;
                /** @description Rows of a page */
                limit?: number;
                /** @description A column to sort by, with - before it for descending order: created, ended, status */
                sort?: string;
                /** @description Count the whole list as well */
                total?: boolean;
            };
            header?: never;
            path: {
                /** @description Digest of the image's configuration */
                imageID: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PageScanRow"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    listContentSecrets: {
        parameters: {
            query?: {
                /** @description "next" of the page before, with the same filter and order */
                cursor?: string;
                /** @description Rows of a page */
                limit?: number;
                /** @description Words that occur in name, rule, type or path */
                search?: string;
                severity?: ("critical" | "high" | "medium" | "low" | "negligible" | "unknown")[] | null;
                /** @description A column to sort by, with - before it for descending order: severity, path, rule, since */
                sort?: string;
                /** @description Count the whole list as well */
                total?: boolean;
                type?: string[] | null;
                /** @description What is suppressed, instead of what counts */
                uncounted?: boolean;
            };
            header?: never;
            path: {
                /** @description Digest of the image's configuration */
                imageID: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PagePlacedSecret"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    listContentVulnerabilities: {
        parameters: {
            query?: {
                /** @description In packages of languages */
                application?: boolean;
                /** @description "next" of the page before, with the same filter and order */
                cursor?: string;
                /** @description Known or likely to be exploited */
                exploited?: boolean;
                fixable?: boolean;
                /** @description Rows of a page */
                limit?: number;
                /** @description In the package of this name */
                package?: string;
                /** @description Words that occur in id, title, package or path */
                search?: string;
                severity?: ("critical" | "high" | "medium" | "low" | "negligible" | "unknown")[] | null;
                /** @description A column to sort by, with - before it for descending order: severity, id, package, epss, since */
                sort?: string;
                /** @description In packages of distributions */
                system?: boolean;
                /** @description Count the whole list as well */
                total?: boolean;
                /** @description Of the package */
                type?: string[] | null;
                /** @description What is suppressed or unimportant, instead of what counts */
                uncounted?: boolean;
            };
            header?: never;
            path: {
                /** @description Digest of the image's configuration */
                imageID: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PageFindingRow"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    getContentVulnerability: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Digest of the image's configuration */
                imageID: string;
                vulnerability: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PagePlacedFinding"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    getLastDataUpdate: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LastUpdate"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    startDataUpdate: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["UpdateInput"];
            };
        };
        responses: {
            /** @description Created */
            201: {
                headers: {
                    Location?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DataUpdate"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    getDataUpdate: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DataUpdate"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    getEgress: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Egress"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    streamEvents: {
        parameters: {
            query?: {
                /** @description For the first time: the event that the session names, so that nothing is missed between what was asked and the stream */
                after?: string;
            };
            header?: {
                /** @description Sent by browsers that come back */
                "Last-Event-ID"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A stream */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/event-stream": string;
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    listExportKinds: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ExportKinds"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    listExports: {
        parameters: {
            query?: {
                by?: string;
                /** @description "next" of the page before, with the same filter and order */
                cursor?: string;
                from?: string;
                kind?: string[] | null;
                /** @description Rows of a page */
                limit?: number;
                /** @description Words of the file's name */
                search?: string;
                /** @description A column to sort by, with - before it for descending order: created, rows, name */
                sort?: string;
                state?: ("waiting" | "running" | "success" | "failed" | "expired")[] | null;
                to?: string;
                /** @description Count the whole list as well */
                total?: boolean;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PageExportRow"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    createExport: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ExportInput"];
            };
        };
        responses: {
            /** @description Created */
            201: {
                headers: {
                    Location?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ExportRow"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    getExport: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ExportRow"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    deleteExport: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description No Content */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["Problem"];
        };
    };
    downloadExport: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The file */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/octet-stream": string;
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    previewExport: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ExportInput"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ExportNeed"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    getFeeds: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["FeedState"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    adoptFeeds: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Adoption"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    listAdoptions: {
        parameters: {
            query?: {
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PageAdoption"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    importFeed: {
        parameters: {
            query: {
                /** @description The file's name as its publisher calls it, with its folder where that tells what it is */
                name: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/octet-stream": string;
            };
        };
        responses: {
            /** @description Accepted */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["Problem"];
        };
    };
    previewFeeds: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AdoptionPreview"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    rollBackFeeds: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Adoption"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    updateFeeds: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Accepted */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["Problem"];
        };
    };
    listFindingEvents: {
        parameters: {
            query?: {
                /** @description Under this bundle */
                adoption?: number;
                category?: ("vulnerability" | "secret" | "malware" | "software")[] | null;
                cause?: ("image_content" | "advisory_added" | "advisory_changed" | "advisory_withdrawn" | "rules" | "exception")[] | null;
                change?: ("appeared" | "changed" | "fixed" | "suppressed" | "reopened")[] | null;
                component?: number;
                /** @description "next" of the page before, with the same filter and order */
                cursor?: string;
                from?: string;
                imageID?: string;
                /** @description Rows of a page */
                limit?: number;
                /** @description A column to sort by, with - before it for descending order: none; the order is fixed */
                sort?: string;
                to?: string;
                /** @description Count the whole list as well */
                total?: boolean;
                vulnerability?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PageFindingEvent"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    callHook: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: number;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": unknown;
            };
        };
        responses: {
            /** @description Accepted */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["Problem"];
        };
    };
    listHosts: {
        parameters: {
            query?: {
                /** @description "next" of the page before, with the same filter and order */
                cursor?: string;
                engine?: ("docker" | "containerd" | "podman")[] | null;
                id?: string[] | null;
                /** @description Contents, one of which it has */
                imageID?: string[] | null;
                /** @description NAME=VALUE */
                label?: string[] | null;
                /** @description Rows of a page */
                limit?: number;
                project?: string[] | null;
                /** @description Words that all occur in name, address, project, system or the version of an engine */
                search?: string;
                /** @description A column to sort by, with - before it for descending order: name, project, seen, updated, images, atRisk, containers, running */
                sort?: string;
                status?: "online" | "offline";
                /** @description Count the whole list as well */
                total?: boolean;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PageHostRow"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    getHost: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["HostRow"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    removeHost: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description No Content */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["Problem"];
        };
    };
    listHostFacets: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["HostFacets"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    listImages: {
        parameters: {
            query?: {
                arch?: string[] | null;
                /** @description That hold one of these components */
                component?: number[] | null;
                createdFrom?: string;
                createdTo?: string;
                /** @description "next" of the page before, with the same filter and order */
                cursor?: string;
                /** @description Rows to leave out */
                exclude?: number[] | null;
                /** @description With a vulnerability that has a fix */
                fixable?: boolean;
                /** @description Those that are no longer in their registry, instead of those that are */
                gone?: boolean;
                highPriority?: boolean;
                /** @description Rows */
                id?: number[] | null;
                /** @description Contents */
                imageID?: string[] | null;
                /** @description Of the registry */
                kind?: string[] | null;
                /** @description Whether the content has a unit of the quota */
                licensed?: "true" | "false";
                /** @description Rows of a page */
                limit?: number;
                /** @description That have the same malicious file as this row of /malware */
                malware?: number;
                /** @description Bytes */
                maxSize?: number;
                /** @description Bytes */
                minSize?: number;
                /** @description With a critical vulnerability that has a fix, or one that is exploited */
                mustFix?: boolean;
                /** @description An empty one is that of repositories without a namespace */
                namespace?: string[] | null;
                /** @description Only the newest tag of each repository */
                newest?: boolean;
                /** @description Distribution */
                os?: string[] | null;
                /** @description That hold a package of this name */
                package?: string;
                /** @description Pushed within the last so many days */
                pushedDays?: number;
                pushedFrom?: string;
                pushedTo?: string;
                /** @description Only what should be scanned */
                recommended?: boolean;
                registry?: number[] | null;
                repository?: number[] | null;
                /** @description Security status */
                risk?: ("unknown" | "none" | "at_risk")[] | null;
                /** @description At least one finding of this kind */
                riskKind?: ("vulnerability" | "secret" | "malware")[] | null;
                /** @description Only what a running container uses */
                running?: boolean;
                scannedFrom?: string;
                scannedTo?: string;
                /** @description Words that all occur in address, name, tag, digest or image ID */
                search?: string;
                /** @description That have the same secret as this row of /secrets */
                secret?: number;
                /** @description At least one finding of this severity */
                severity?: ("critical" | "high" | "medium" | "low" | "negligible" | "unknown")[] | null;
                /** @description A column to sort by, with - before it for descending order: name, tag, registry, size, created, pushed, firstSeen, synced, scanned, status, worst, vulnerabilities, critical, secrets, malware, packages, hosts, containers */
                sort?: string;
                status?: ("not_scanned" | "scanning" | "scanned" | "cancelled" | "failed")[] | null;
                syncedFrom?: string;
                syncedTo?: string;
                /** @description Count the whole list as well */
                total?: boolean;
                /** @description That have it now */
                vulnerability?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PageAssetRow"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    getImage: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AssetRow"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    listImageContainers: {
        parameters: {
            query?: {
                /** @description "next" of the page before, with the same filter and order */
                cursor?: string;
                engine?: ("docker" | "containerd" | "podman")[] | null;
                host?: string[] | null;
                /** @description Rows of a page */
                limit?: number;
                project?: string[] | null;
                /** @description Of its image */
                risk?: ("unknown" | "none" | "at_risk")[] | null;
                /** @description Words that all occur in name, id, image, command, pod or the host's name */
                search?: string;
                /** @description A column to sort by, with - before it for descending order: updated, name, state, host, created, worst */
                sort?: string;
                state?: ("created" | "running" | "paused" | "restarting" | "removing" | "exited" | "dead" | "unknown")[] | null;
                /** @description Count the whole list as well */
                total?: boolean;
                /** @description That its image has now */
                vulnerability?: string;
            };
            header?: never;
            path: {
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PageContainerRow"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    listImageHosts: {
        parameters: {
            query?: {
                /** @description "next" of the page before, with the same filter and order */
                cursor?: string;
                engine?: ("docker" | "containerd" | "podman")[] | null;
                /** @description NAME=VALUE */
                label?: string[] | null;
                /** @description Rows of a page */
                limit?: number;
                project?: string[] | null;
                /** @description Words that all occur in name, address, project, system or the version of an engine */
                search?: string;
                /** @description A column to sort by, with - before it for descending order: name, project, seen, updated, images, atRisk, containers, running */
                sort?: string;
                status?: "online" | "offline";
                /** @description Count the whole list as well */
                total?: boolean;
            };
            header?: never;
            path: {
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PageHostRow"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    listImageFacets: {
        parameters: {
            query?: {
                arch?: string[] | null;
                /** @description That hold one of these components */
                component?: number[] | null;
                createdFrom?: string;
                createdTo?: string;
                /** @description Rows to leave out */
                exclude?: number[] | null;
                /** @description With a vulnerability that has a fix */
                fixable?: boolean;
                /** @description Those that are no longer in their registry, instead of those that are */
                gone?: boolean;
                highPriority?: boolean;
                /** @description Rows */
                id?: number[] | null;
                /** @description Contents */
                imageID?: string[] | null;
                /** @description Of the registry */
                kind?: string[] | null;
                /** @description Whether the content has a unit of the quota */
                licensed?: "true" | "false";
                /** @description That have the same malicious file as this row of /malware */
                malware?: number;
                /** @description Bytes */
                maxSize?: number;
                /** @description Bytes */
                minSize?: number;
                /** @description With a critical vulnerability that has a fix, or one that is exploited */
                mustFix?: boolean;
                /** @description An empty one is that of repositories without a namespace */
                namespace?: string[] | null;
                /** @description Only the newest tag of each repository */
                newest?: boolean;
                /** @description Distribution */
                os?: string[] | null;
                /** @description That hold a package of this name */
                package?: string;
                /** @description Pushed within the last so many days */
                pushedDays?: number;
                pushedFrom?: string;
                pushedTo?: string;
                /** @description Only what should be scanned */
                recommended?: boolean;
                registry?: number[] | null;
                repository?: number[] | null;
                /** @description Security status */
                risk?: ("unknown" | "none" | "at_risk")[] | null;
                /** @description At least one finding of this kind */
                riskKind?: ("vulnerability" | "secret" | "malware")[] | null;
                /** @description Only what a running container uses */
                running?: boolean;
                scannedFrom?: string;
                scannedTo?: string;
                /** @description Words that all occur in address, name, tag, digest or image ID */
                search?: string;
                /** @description That have the same secret as this row of /secrets */
                secret?: number;
                /** @description At least one finding of this severity */
                severity?: ("critical" | "high" | "medium" | "low" | "negligible" | "unknown")[] | null;
                status?: ("not_scanned" | "scanning" | "scanned" | "cancelled" | "failed")[] | null;
                syncedFrom?: string;
                syncedTo?: string;
                /** @description That have it now */
                vulnerability?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AssetFacets"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    listLocalImages: {
        parameters: {
            query?: {
                arch?: string[] | null;
                /** @description That hold one of these components */
                component?: number[] | null;
                /** @description That a container uses whose name, id or command holds this */
                container?: string;
                createdFrom?: string;
                createdTo?: string;
                /** @description "next" of the page before, with the same filter and order */
                cursor?: string;
                engine?: ("docker" | "containerd" | "podman")[] | null;
                /** @description Rows to leave out */
                exclude?: number[] | null;
                /** @description With a vulnerability that has a fix */
                fixable?: boolean;
                /** @description Those that are no longer in their registry, instead of those that are */
                gone?: boolean;
                highPriority?: boolean;
                /** @description Hosts, one of which has it */
                host?: string[] | null;
                /** @description Rows */
                id?: number[] | null;
                /** @description Contents */
                imageID?: string[] | null;
                /** @description Of the registry */
                kind?: string[] | null;
                /** @description Labels of hosts, NAME=VALUE, a host with one of which has it */
                label?: string[] | null;
                /** @description Whether the content has a unit of the quota */
                licensed?: "true" | "false";
                /** @description Rows of a page */
                limit?: number;
                /** @description That have the same malicious file as this row of /malware */
                malware?: number;
                /** @description Bytes */
                maxSize?: number;
                /** @description Bytes */
                minSize?: number;
                /** @description With a critical vulnerability that has a fix, or one that is exploited */
                mustFix?: boolean;
                /** @description An empty one is that of repositories without a namespace */
                namespace?: string[] | null;
                /** @description Only the newest tag of each repository */
                newest?: boolean;
                /** @description Distribution */
                os?: string[] | null;
                /** @description That hold a package of this name */
                package?: string;
                /** @description That a container of a pod uses whose name holds this */
                pod?: string;
                /** @description Business groups, a host of which has it */
                project?: string[] | null;
                /** @description Pushed within the last so many days */
                pushedDays?: number;
                pushedFrom?: string;
                pushedTo?: string;
                /** @description Only what should be scanned */
                recommended?: boolean;
                registry?: number[] | null;
                repository?: number[] | null;
                /** @description Security status */
                risk?: ("unknown" | "none" | "at_risk")[] | null;
                /** @description At least one finding of this kind */
                riskKind?: ("vulnerability" | "secret" | "malware")[] | null;
                /** @description Only what a running container uses */
                running?: boolean;
                /** @description Whether nothing is known to keep it from being scanned */
                scannable?: "true" | "false";
                scannedFrom?: string;
                scannedTo?: string;
                /** @description Words that all occur in address, name, tag, digest or image ID */
                search?: string;
                /** @description That have the same secret as this row of /secrets */
                secret?: number;
                /** @description At least one finding of this severity */
                severity?: ("critical" | "high" | "medium" | "low" | "negligible" | "unknown")[] | null;
                /** @description A column to sort by, with - before it for descending order: name, tag, registry, size, created, pushed, firstSeen, synced, scanned, status, worst, vulnerabilities, critical, secrets, malware, packages, hosts, containers */
                sort?: string;
                status?: ("not_scanned" | "scanning" | "scanned" | "cancelled" | "failed")[] | null;
                syncedFrom?: string;
                syncedTo?: string;
                /** @description Count the whole list as well */
                total?: boolean;
                /** @description Whether there is a container of it, running or not */
                used?: "true" | "false";
                /** @description That have it now */
                vulnerability?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PageAssetRow"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    listLocalImageFacets: {
        parameters: {
            query?: {
                arch?: string[] | null;
                /** @description That hold one of these components */
                component?: number[] | null;
                /** @description That a container uses whose name, id or command holds this */
                container?: string;
                createdFrom?: string;
                createdTo?: string;
                engine?: ("docker" | "containerd" | "podman")[] | null;
                /** @description Rows to leave out */
                exclude?: number[] | null;
                /** @description With a vulnerability that has a fix */
                fixable?: boolean;
                /** @description Those that are no longer in their registry, instead of those that are */
                gone?: boolean;
                highPriority?: boolean;
                /** @description Hosts, one of which has it */
                host?: string[] | null;
                /** @description Rows */
                id?: number[] | null;
                /** @description Contents */
                imageID?: string[] | null;
                /** @description Of the registry */
                kind?: string[] | null;
                /** @description Labels of hosts, NAME=VALUE, a host with one of which has it */
                label?: string[] | null;
                /** @description Whether the content has a unit of the quota */
                licensed?: "true" | "false";
                /** @description That have the same malicious file as this row of /malware */
                malware?: number;
                /** @description Bytes */
                maxSize?: number;
                /** @description Bytes */
                minSize?: number;
                /** @description With a critical vulnerability that has a fix, or one that is exploited */
                mustFix?: boolean;
                /** @description An empty one is that of repositories without a namespace */
                namespace?: string[] | null;
                /** @description Only the newest tag of each repository */
                newest?: boolean;
                /** @description Distribution */
                os?: string[] | null;
                /** @description That hold a package of this name */
                package?: string;
                /** @description That a container of a pod uses whose name holds this */
                pod?: string;
                /** @description Business groups, a host of which has it */
                project?: string[] | null;
                /** @description Pushed within the last so many days */
                pushedDays?: number;
                pushedFrom?: string;
                pushedTo?: string;
                /** @description Only what should be scanned */
                recommended?: boolean;
                registry?: number[] | null;
                repository?: number[] | null;
                /** @description Security status */
                risk?: ("unknown" | "none" | "at_risk")[] | null;
                /** @description At least one finding of this kind */
                riskKind?: ("vulnerability" | "secret" | "malware")[] | null;
                /** @description Only what a running container uses */
                running?: boolean;
                /** @description Whether nothing is known to keep it from being scanned */
                scannable?: "true" | "false";
                scannedFrom?: string;
                scannedTo?: string;
                /** @description Words that all occur in address, name, tag, digest or image ID */
                search?: string;
                /** @description That have the same secret as this row of /secrets */
                secret?: number;
                /** @description At least one finding of this severity */
                severity?: ("critical" | "high" | "medium" | "low" | "negligible" | "unknown")[] | null;
                status?: ("not_scanned" | "scanning" | "scanned" | "cancelled" | "failed")[] | null;
                syncedFrom?: string;
                syncedTo?: string;
                /** @description Whether there is a container of it, running or not */
                used?: "true" | "false";
                /** @description That have it now */
                vulnerability?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AssetFacets"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    listMalware: {
        parameters: {
            query?: {
                /** @description "next" of the page before, with the same filter and order */
                cursor?: string;
                engine?: string[] | null;
                /** @description Rows of a page */
                limit?: number;
                /** @description In an image that is the newest of a repository */
                newest?: boolean;
                /** @description In images of these registries */
                registry?: number[] | null;
                /** @description In an image that a running container uses */
                running?: boolean;
                /** @description Words that occur in path, name or a digest */
                search?: string;
                severity?: ("critical" | "high" | "medium" | "low" | "negligible" | "unknown")[] | null;
                /** @description A column to sort by, with - before it for descending order: severity, path, name, since */
                sort?: string;
                /** @description Count the whole list as well */
                total?: boolean;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PageMalwareRow"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    listNamespaces: {
        parameters: {
            query?: {
                /** @description Those that are no longer in their registry, instead of those that are */
                gone?: boolean;
                namespace?: string[] | null;
                registry?: number[] | null;
                /** @description Words that occur in name or registry */
                search?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PageRepositoryRow"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    getOverview: {
        parameters: {
            query?: {
                /** @description Where days begin, as the IANA names it; the settings' zone by default */
                zone?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Estate"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    listDays: {
        parameters: {
            query?: {
                /** @description YYYY-MM-DD; 30 days ago by default */
                from?: string;
                /** @description YYYY-MM-DD; today by default */
                to?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PageDay"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    getTop: {
        parameters: {
            query?: {
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TopLists"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    getPreference: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Chosen by the console */
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": unknown;
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    setPreference: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Chosen by the console */
                name: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": unknown;
            };
        };
        responses: {
            /** @description No Content */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["Problem"];
        };
    };
    getQuota: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["QuotaState"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    setQuota: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["QuotaInput"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["QuotaState"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    listQuotaEntries: {
        parameters: {
            query?: {
                action?: "license" | "auto" | "settings";
                /** @description "next" of the page before, with the same filter and order */
                cursor?: string;
                /** @description Rows of a page */
                limit?: number;
                /** @description A column to sort by, with - before it for descending order: none; the order is fixed */
                sort?: string;
                /** @description Count the whole list as well */
                total?: boolean;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PageQuotaEntry"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    listLicences: {
        parameters: {
            query?: {
                /** @description "next" of the page before, with the same filter and order */
                cursor?: string;
                /** @description Those of one line of the ledger */
                entry?: number;
                /** @description Rows of a page */
                limit?: number;
                /** @description A column to sort by, with - before it for descending order: none; the order is fixed */
                sort?: string;
                /** @description Count the whole list as well */
                total?: boolean;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PageLicence"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    licenseImages: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["LicenceRequest"];
            };
        };
        responses: {
            /** @description Created */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["QuotaEntry"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    previewLicences: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["LicenceRequest"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["QuotaNeed"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    listRegistries: {
        parameters: {
            query?: {
                /** @description Statuses of the last connection test */
                health?: string[] | null;
                kind?: string[] | null;
                /** @description Words that occur in name or address */
                search?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PageRegistry"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    createRegistry: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["RegistryInput"];
            };
        };
        responses: {
            /** @description Created */
            201: {
                headers: {
                    Location?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Registry"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    getRegistry: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Registry"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    updateRegistry: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: number;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["RegistryInput"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Registry"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    deleteRegistry: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Deleted"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    cancelSync: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description No Content */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["Problem"];
        };
    };
    listSyncs: {
        parameters: {
            query?: {
                limit?: number;
            };
            header?: never;
            path: {
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SyncRun"][];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    testRegistry: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RegistryHealth"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    deleteRegistries: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["DeleteRegistriesRequest"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Deleted"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    syncRegistries: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SyncRequest"];
            };
        };
        responses: {
            /** @description Accepted */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SyncStarted"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    testRegistrySettings: {
        parameters: {
            query?: {
                /** @description The registry that is being edited */
                id?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["RegistryInput"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RegistryHealth"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    listRegistryKinds: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RegistryKind"][];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    checkRegistryName: {
        parameters: {
            query?: {
                /** @description The registry that is being edited */
                except?: number;
            };
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["NameCheck"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    listRepositories: {
        parameters: {
            query?: {
                /** @description "next" of the page before, with the same filter and order */
                cursor?: string;
                /** @description Those that are no longer in their registry, instead of those that are */
                gone?: boolean;
                /** @description Rows of a page */
                limit?: number;
                namespace?: string[] | null;
                registry?: number[] | null;
                /** @description Words that occur in name or registry */
                search?: string;
                /** @description A column to sort by, with - before it for descending order: name, images, atRisk, synced */
                sort?: string;
                /** @description Count the whole list as well */
                total?: boolean;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PageRepositoryRow"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    listScans: {
        parameters: {
            query?: {
                createdFrom?: string;
                createdTo?: string;
                /** @description "next" of the page before, with the same filter and order */
                cursor?: string;
                imageID?: string[] | null;
                /** @description Rows of a page */
                limit?: number;
                phase?: "waiting" | "running" | "ended";
                /** @description A column to sort by, with - before it for descending order: created, ended, status */
                sort?: string;
                status?: ("scanning" | "scanned" | "cancelled" | "failed")[] | null;
                task?: number[] | null;
                /** @description Count the whole list as well */
                total?: boolean;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PageScanRow"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    getScan: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ScanRow"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    cancelScans: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["CancelRequest"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Cancelled"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    previewScan: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ScanRequest"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ScanPreview"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    listSchedules: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PageSchedule"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    createSchedule: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ScheduleSettings"];
            };
        };
        responses: {
            /** @description Created */
            201: {
                headers: {
                    Location?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Schedule"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    getSchedule: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Schedule"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    updateSchedule: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: number;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ScheduleSettings"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Schedule"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    deleteSchedule: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description No Content */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["Problem"];
        };
    };
    disableSchedule: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Schedule"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    enableSchedule: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Schedule"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    previewSchedule: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SchedulePreview"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    runSchedule: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Created */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ScheduleRun"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    listScheduleRuns: {
        parameters: {
            query?: {
                /** @description "next" of the page before, with the same filter and order */
                cursor?: string;
                /** @description Rows of a page */
                limit?: number;
                /** @description A column to sort by, with - before it for descending order: none; the order is fixed */
                sort?: string;
                /** @description Count the whole list as well */
                total?: boolean;
            };
            header?: never;
            path: {
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PageScheduleRun"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    previewScheduleSettings: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ScheduleSettings"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SchedulePreview"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    listSecrets: {
        parameters: {
            query?: {
                /** @description "next" of the page before, with the same filter and order */
                cursor?: string;
                /** @description Rows of a page */
                limit?: number;
                /** @description In an image that is the newest of a repository */
                newest?: boolean;
                /** @description In images of these registries */
                registry?: number[] | null;
                /** @description In an image that a running container uses */
                running?: boolean;
                /** @description Words that occur in name, rule, type or path */
                search?: string;
                severity?: ("critical" | "high" | "medium" | "low" | "negligible" | "unknown")[] | null;
                /** @description A column to sort by, with - before it for descending order: severity, path, rule, since */
                sort?: string;
                /** @description Count the whole list as well */
                total?: boolean;
                type?: string[] | null;
                /** @description What is suppressed, instead of what counts */
                uncounted?: boolean;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PageSecretRow"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    getSession: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SessionInfo"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    signIn: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SignInInputBody"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    "Set-Cookie"?: components["schemas"]["Cookie"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SessionInfo"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    signOut: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description No Content */
            204: {
                headers: {
                    "Set-Cookie"?: components["schemas"]["Cookie"];
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["Problem"];
        };
    };
    setPassword: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SetPasswordInputBody"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    "Set-Cookie"?: components["schemas"]["Cookie"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SessionInfo"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    getSettings: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Settings"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    setSettings: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Settings"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Settings"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    listTasks: {
        parameters: {
            query?: {
                createdFrom?: string;
                createdTo?: string;
                creator?: string;
                /** @description "next" of the page before, with the same filter and order */
                cursor?: string;
                imageID?: string[] | null;
                kind?: ("manual" | "schedule" | "webhook" | "rescan")[] | null;
                /** @description Rows of a page */
                limit?: number;
                /** @description Only those that have not ended */
                running?: boolean;
                /** @description A column to sort by, with - before it for descending order: created, total, failed */
                sort?: string;
                /** @description Count the whole list as well */
                total?: boolean;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PageTaskRow"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    startScan: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ScanRequest"];
            };
        };
        responses: {
            /** @description Created */
            201: {
                headers: {
                    Location?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TaskRow"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    getTask: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TaskRow"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    cancelTask: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: number;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["CancelTaskRequest"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Cancelled"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    rescanTask: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: number;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["RescanTaskRequest"];
            };
        };
        responses: {
            /** @description Created */
            201: {
                headers: {
                    Location?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TaskRow"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    getMe: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["User"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    listVulnerabilities: {
        parameters: {
            query?: {
                /** @description In packages of languages */
                application?: boolean;
                /** @description "next" of the page before, with the same filter and order */
                cursor?: string;
                /** @description Known or likely to be exploited */
                exploited?: boolean;
                fixable?: boolean;
                /** @description Rows of a page */
                limit?: number;
                /** @description In an image that is the newest of a repository */
                newest?: boolean;
                /** @description In the package of this name */
                package?: string;
                /** @description In images of these registries */
                registry?: number[] | null;
                /** @description In an image that a running container uses */
                running?: boolean;
                /** @description Words that occur in id, title, package or path */
                search?: string;
                severity?: ("critical" | "high" | "medium" | "low" | "negligible" | "unknown")[] | null;
                /** @description A column to sort by, with - before it for descending order: id, severity, score, epss, images, firstSeen, lastSeen, published */
                sort?: string;
                /** @description In packages of distributions */
                system?: boolean;
                /** @description Count the whole list as well */
                total?: boolean;
                /** @description Of the package */
                type?: string[] | null;
                /** @description What is suppressed or unimportant, instead of what counts */
                uncounted?: boolean;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PageVulnerabilityRow"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    getVulnerability: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The CVE, or the advisory's own id */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Vulnerability"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    listVulnerabilityImages: {
        parameters: {
            query?: {
                /** @description "next" of the page before, with the same filter and order */
                cursor?: string;
                /** @description Rows of a page */
                limit?: number;
                newest?: boolean;
                registry?: number[] | null;
                running?: boolean;
                search?: string;
                /** @description A column to sort by, with - before it for descending order: name, tag, registry, size, created, pushed, firstSeen, synced, scanned, status, worst, vulnerabilities, critical, secrets, malware, packages, hosts, containers */
                sort?: string;
                /** @description Count the whole list as well */
                total?: boolean;
            };
            header?: never;
            path: {
                /** @description The CVE, or the advisory's own id */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PageAssetRow"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
}
