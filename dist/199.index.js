export const id = 199;
export const ids = [199];
export const modules = {

/***/ 28199:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __webpack_require__) => {


// EXPORTS
__webpack_require__.d(__webpack_exports__, {
  createTransport: () => (/* binding */ createTransport)
});

// EXTERNAL MODULE: external "node:dns"
var external_node_dns_ = __webpack_require__(40610);
// EXTERNAL MODULE: external "node:timers/promises"
var promises_ = __webpack_require__(58500);
// EXTERNAL MODULE: ./node_modules/undici/index.js
var undici = __webpack_require__(46752);
// EXTERNAL MODULE: ./build/distribution/errors.js
var errors = __webpack_require__(90832);
;// CONCATENATED MODULE: ./build/distribution/spareConnections.js

/**
 * Connections that are opened before there is a request for them, while something else is waited for: a new connection takes
 * a round trip, and two or three with TLS. undici opens one for a request only, so that it is given them as if they
 * had just been opened.
 */
class SpareConnections {
    #options;
    #open;
    #spares = new Map();
    #closed = false;
    constructor(options, connection) {
        this.#options = options;
        this.#open = (0,undici/* buildConnector */.gU)(connection);
    }
    /** For undici: a spare connection, or a new one where there is none. */
    connect = (options, callback) => {
        const spare = this.#fresh(keyOf(options)).shift();
        if (!spare)
            return this.#open(options, callback);
        // One that was broken meanwhile makes place for the next.
        const another = () => this.connect(options, callback);
        spare.opening.then((socket) => (isOpen(socket) ? callback(null, socket) : another()), another);
    };
    /**
     * Begins to open a connection, unless enough are waiting. A failure is nobody's yet: the request that would have had
     * the connection finds out for itself.
     */
    prepare({ protocol, host, hostname, port }) {
        const options = { protocol, host, hostname, port };
        const waiting = this.#fresh(keyOf(options));
        if (this.#closed || waiting.length >= this.#options.most)
            return;
        const opening = new Promise((resolve, reject) => {
            this.#open(options, (error, socket) => (error ? reject(error) : resolve(socket)));
        });
        opening.catch(() => undefined);
        waiting.push({ opening, at: performance.now() });
    }
    /** Closes those that nobody wanted; no others are opened any more. */
    close() {
        this.#closed = true;
        for (const spare of [...this.#spares.values()].flat())
            destroy(spare);
        this.#spares.clear();
    }
    /** Those of an origin that are not too old, to take from and to add to. */
    #fresh(key) {
        const waiting = this.#spares.get(key) ?? [];
        this.#spares.set(key, waiting);
        const oldest = performance.now() - this.#options.age;
        while (waiting[0] && waiting[0].at < oldest)
            destroy(waiting.shift());
        return waiting;
    }
}
function destroy(spare) {
    spare?.opening.then((socket) => socket.destroy(), () => undefined);
}
function keyOf({ protocol, hostname, port }) {
    return `${protocol}//${hostname}:${port}`;
}
function isOpen(socket) {
    return !socket.destroyed && socket.writable && socket.readable;
}

;// CONCATENATED MODULE: ./build/distribution/transport.js





/** How long an answer, or its next bytes, may be waited for, in milliseconds. */
const ANSWER = 60_000;
const UPLOAD_ANSWER = 300_000;
/** How long a connection is kept for the next request, in milliseconds, unless its server says less. */
const IDLE = 30_000;
/** Connections to one origin that are opened ahead of their requests, at the most. */
const SPARES = 8;
/**
 * A transport over undici with a pool of kept-alive connections for each origin. HTTP/2 is off: ECR speaks 1.1,
 * and parallel uploads want connections of their own.
 */
function createTransport(options) {
    const { proxy } = options;
    // Behind a proxy a connection is the proxy's, and opened by other rules.
    const spares = proxy?.http || proxy?.https ? undefined : new SpareConnections({ most: SPARES, age: IDLE }, CONNECT);
    const dispatcher = createDispatcher(options, spares);
    return {
        async send({ method, url, headers, body }) {
            const answer = await (0,undici/* request */.Em)(url, {
                dispatcher,
                method,
                headers: { 'user-agent': options.userAgent, ...headers },
                body: body ?? null,
                // By default undici closes the connection after each HEAD.
                reset: false,
                // Only an upload may take long to be answered: the registry looks at all of it first.
                headersTimeout: body ? UPLOAD_ANSWER : ANSWER,
                bodyTimeout: ANSWER,
            });
            return toResponse(method, url, answer);
        },
        prepare: (url) => spares?.prepare(url),
        close() {
            spares?.close();
            return dispatcher.destroy();
        },
    };
}
function createDispatcher({ connections, proxy }, spares) {
    const agent = { connections, allowH2: CONNECT.allowH2, keepAliveTimeout: IDLE };
    if (spares)
        return new undici/* Agent */.g6({ ...agent, connect: spares.connect });
    return new undici/* EnvHttpProxyAgent */.J2({
        ...agent,
        connect: CONNECT,
        ...(proxy?.http && { httpProxy: proxy.http }),
        ...(proxy?.https && { httpsProxy: proxy.https }),
        ...(proxy?.no && { noProxy: proxy.no }),
    });
}
/**
 * Names under `.localhost` mean this machine, even where the system's resolver does not know that.
 * https://www.rfc-editor.org/rfc/rfc6761#section-6.3
 */
const lookupLocalhost = (hostname, options, callback) => {
    (0,external_node_dns_.lookup)(hostname.endsWith('.localhost') ? '127.0.0.1' : hostname, options, callback);
};
const CONNECT = { lookup: lookupLocalhost, timeout: 15_000, allowH2: false };
function toResponse(method, url, answer) {
    const header = (name) => {
        const value = answer.headers[name];
        return Array.isArray(value) ? value[0] : value;
    };
    return {
        status: answer.statusCode,
        header,
        body: answer.body,
        bytes: (limit) => readAtMost(answer.body, limit, () => tooLong(method, url, answer.statusCode, limit)),
        drain: async () => {
            await answer.body.dump();
            await connectionFree();
        },
    };
}
function tooLong(method, url, status, limit) {
    return new errors/* RegistryError */.gl({ method, url }, { status, body: `a body of more than ${limit} bytes` });
}
/**
 * A connection is free again one turn of the event loop after the body's end: a request that is sent before that opens
 * another one, which takes a round trip more, and two or three with TLS.
 */
function connectionFree() {
    return (0,promises_.setImmediate)();
}
async function readAtMost(body, limit, tooLong) {
    const chunks = [];
    let length = 0;
    for await (const chunk of body) {
        const bytes = Buffer.from(chunk);
        length += bytes.length;
        if (length > limit)
            throw tooLong();
        chunks.push(bytes);
    }
    await connectionFree();
    return Buffer.concat(chunks, length);
}


/***/ })

};
