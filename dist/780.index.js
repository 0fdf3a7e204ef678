export const id = 780;
export const ids = [780];
export const modules = {

/***/ 57780:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __webpack_require__) => {


// EXPORTS
__webpack_require__.d(__webpack_exports__, {
  createTransport: () => (/* binding */ createTransport)
});

// EXTERNAL MODULE: external "node:dns"
var external_node_dns_ = __webpack_require__(40610);
// EXTERNAL MODULE: external "node:stream"
var external_node_stream_ = __webpack_require__(57075);
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

;// CONCATENATED MODULE: ./build/distribution/stall.js

/**
 * Breaks an upload off whose connection takes nothing for too long: an operating system waits a quarter of an hour for one
 * that has gone dead. A body whose own source is slow is left alone: it is not its connection that holds it up.
 * @param body a stream that whoever sends it pauses while the connection takes no more
 * @param limit in milliseconds
 */
function breakOffWhenStalled(body, limit) {
    let timer;
    const look = () => {
        if (body.isPaused())
            body.destroy(new errors/* StalledError */.OV(limit));
    };
    // What is paused before it is sent for the first time waits for its turn.
    body.once('resume', () => {
        // Each pause comes after a piece that the connection did take.
        body.on('pause', () => {
            clearTimeout(timer);
            timer = setTimeout(look, limit).unref();
        });
    });
    body.once('close', () => clearTimeout(timer));
}
/** What each period has to bring of a download, in bytes: no line is so slow. */
const LEAST = 64 * 1024;
/**
 * Breaks a download off that only drips: as long as a byte comes now and then, it is none that has gone dead. One that its
 * own reader keeps waiting is left alone.
 * @param body a stream that nobody reads yet, which this does not change
 * @param period in milliseconds
 * @param what of messages: the request
 */
function breakOffWhenDripping(body, period, what) {
    let received = 0;
    let held = false;
    body.on('data', (chunk) => {
        received += chunk.length;
    });
    // Looking on must not start the stream: whoever reads it does.
    body.pause();
    body.on('pause', () => {
        held = true;
    });
    const timer = setInterval(() => {
        if (!held && !body.isPaused() && received < LEAST) {
            body.destroy(new errors/* TimeoutError */.MU(`${what} brought less than ${LEAST} bytes in ${period / 1000} s`));
        }
        received = 0;
        held = body.isPaused();
    }, period);
    timer.unref();
    body.once('close', () => clearInterval(timer));
}

;// CONCATENATED MODULE: ./build/distribution/transport.js







/** How long an answer, or its next bytes, may be waited for, in milliseconds. */
const ANSWER = 60_000;
const UPLOAD_ANSWER = 300_000;
/** How long an upload's connection may take nothing, in milliseconds. */
const STALL = 60_000;
/**
 * How long a short answer may take in all, and how often a long one has to bring something, in milliseconds: a byte now and
 * then would do for undici's own limits.
 */
const PATIENCE = 60_000;
/** How long the rest of an answer that tells nothing new is waited for, in milliseconds, before its connection is given up. */
const REST = 5_000;
/** How many answers may say that the answer is still to come (1xx): each of them is waited for anew. */
const INTERIM = 10;
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
    const patience = options.patience ?? PATIENCE;
    return {
        async send({ method, url, headers, body, signal }) {
            if (body instanceof external_node_stream_.Readable)
                breakOffWhenStalled(body, options.stall ?? STALL);
            const what = `${method} ${(0,errors/* redactUrl */.BO)(url)}`;
            const answer = await (0,undici/* request */.Em)(url, {
                dispatcher,
                method,
                headers: { 'user-agent': options.userAgent, ...headers },
                body: body ?? null,
                ...(signal && { signal }),
                // By default undici closes the connection after each HEAD.
                reset: false,
                // Only an upload may take long to be answered: the registry looks at all of it first.
                headersTimeout: body ? UPLOAD_ANSWER : ANSWER,
                bodyTimeout: ANSWER,
                onInfo: refuseMany(what),
            });
            const tooLong = (limit) => new errors/* RegistryError */.gl({ method, url }, { status: answer.statusCode, body: `a body of more than ${limit} bytes` });
            return toResponse(answer, what, patience, tooLong);
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
/** Breaks a request off that is put off again and again. */
function refuseMany(what) {
    let count = 0;
    return () => {
        count += 1;
        if (count > INTERIM)
            throw new errors/* TimeoutError */.MU(`${what} has no answer after ${INTERIM} that announce one`);
    };
}
function toResponse(answer, what, patience, tooLong) {
    const { body } = answer;
    const header = (name) => {
        const value = answer.headers[name];
        return Array.isArray(value) ? value[0] : value;
    };
    return {
        status: answer.statusCode,
        header,
        stream: () => {
            breakOffWhenDripping(body, patience, what);
            return body;
        },
        bytes: async (limit) => {
            const late = new errors/* TimeoutError */.MU(`${what}: the answer did not end within ${patience / 1000} s`);
            const bytes = await before(body, patience, late, () => readAtMost(body, limit, () => tooLong(limit)));
            await connectionFree();
            return bytes;
        },
        drain: async () => {
            await before(body, Math.min(REST, patience), undefined, () => body.dump());
            await connectionFree();
        },
    };
}
/** Reads a body, and ends it when that takes too long, in milliseconds. */
async function before(body, limit, error, read) {
    const timer = setTimeout(() => body.destroy(error), limit);
    try {
        return await read();
    }
    finally {
        clearTimeout(timer);
    }
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
    return Buffer.concat(chunks, length);
}


/***/ })

};
