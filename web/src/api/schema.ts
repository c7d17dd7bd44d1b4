// Generated from openapi.json by "make web-client"; do not edit.

export interface paths {
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
         * @description The stored password stays when it is left out, unless it would go another way than before: with another address, another proxy, or a certificate that is no longer verified, it has to be given again.
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
         * @description With the id of a registry that is being edited, its stored password is used if none is given. The answer is 200 whatever the test found: see status, reason and remedy, and the addresses that must be reachable.
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
        Bundle: {
            /** Format: date-time */
            built: string;
            digest: string;
            feeds: components["schemas"]["FeedStatus"][] | null;
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
            Unparsed: string[] | null;
            Value: string;
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
            ids: number[] | null;
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
            errors?: components["schemas"]["ErrorDetail"][] | null;
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
        FeedRun: {
            by: string;
            /** Format: date-time */
            ended?: string;
            /** @description What was not taken; the rest was */
            error?: components["schemas"]["Error"];
            /** @description Files that are no feed */
            ignored?: string[] | null;
            /** @enum {string} */
            reason: "update" | "import";
            /** @description What was read anew */
            sources?: string[] | null;
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
            holes?: string[] | null;
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
        Health: {
            addresses?: string[] | null;
            /** Format: date-time */
            checked?: string;
            reason?: components["schemas"]["Text"];
            remedy?: components["schemas"]["Text"];
            status: string;
        };
        NameCheck: {
            available: boolean;
            reason?: string;
            remedy?: string;
        };
        PageAdoption: {
            items: components["schemas"]["Adoption"][] | null;
            next?: string;
            /** Format: int64 */
            total?: number;
        };
        PageAuditEntry: {
            items: components["schemas"]["AuditEntry"][] | null;
            next?: string;
            /** Format: int64 */
            total?: number;
        };
        PageRegistry: {
            items: components["schemas"]["Registry"][] | null;
            next?: string;
            /** Format: int64 */
            total?: number;
        };
        ProblemDetails: {
            /** @description Stable; programs and translations go by it */
            code: string;
            /** @description What happened, in one line */
            detail?: string;
            /** @description Where in the request */
            errors?: components["schemas"]["FieldError"][] | null;
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
            values: unknown[] | null;
        };
        RegistryField: {
            default?: unknown;
            help?: components["schemas"]["Text"];
            label: components["schemas"]["Text"];
            name: string;
            negated?: boolean;
            options?: components["schemas"]["RegistryOption"][] | null;
            placeholder?: string;
            required?: boolean;
            type: string;
            visibleWhen?: components["schemas"]["RegistryCondition"];
        };
        RegistryHealth: {
            /** Format: date-time */
            checked: string;
            endpoints?: string[] | null;
            /** Format: int64 */
            latency: number;
            message?: string;
            product?: string;
            reason?: components["schemas"]["Text"];
            remedy?: components["schemas"]["Text"];
            sources?: string[] | null;
            status: string;
            version?: string;
            warnings?: components["schemas"]["RegistryWarning"][] | null;
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
            fields: components["schemas"]["RegistryField"][] | null;
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
        SessionInfo: {
            /** Format: date-time */
            created: string;
            /**
             * Format: date-time
             * @description However much it is used
             */
            ends: string;
            /**
             * Format: date-time
             * @description Unless the session is used before
             */
            expires: string;
            /** @description Empty until a one-time password was changed */
            rights: string[] | null;
            user: components["schemas"]["User"];
        };
        SetPasswordInputBody: {
            /** Format: password */
            current: string;
            /** Format: password */
            password: string;
        };
        SignInInputBody: {
            name: string;
            /** Format: password */
            password: string;
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
        SyncStatus: {
            /** Format: int64 */
            done: number;
            /** Format: date-time */
            ended?: string;
            error?: components["schemas"]["Error"];
            full: boolean;
            /** Format: date-time */
            lastSuccess?: string;
            /** Format: date-time */
            started?: string;
            state: string;
            /** Format: int64 */
            total: number;
        };
        Text: {
            en?: string;
            zh?: string;
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
    streamEvents: {
        parameters: {
            query?: never;
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
                    "application/json": components["schemas"]["SyncRun"][] | null;
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
                    "application/json": components["schemas"]["RegistryKind"][] | null;
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
}
