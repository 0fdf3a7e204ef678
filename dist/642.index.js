export const id = 642;
export const ids = [642];
export const modules = {

/***/ 4642:
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
;// CONCATENATED MODULE: ./build/distribution/limits.js
const DEFAULT_LIMITS = {
    connect: 10_000,
    answer: 30_000,
    uploadAnswer: 300_000,
    stall: 60_000,
    patience: 60_000,
    rest: 5_000,
    idle: 30_000,
};
/** How fast the slowest registry looks at an upload, and the slowest line sends what this machine has buffered of it. */
const BYTES_PER_MILLISECOND = 128;
/** How long the answer to an upload of so many bytes is waited for, in milliseconds. */
function uploadAnswerLimit({ answer, uploadAnswer }, size) {
    return Math.max(answer, Math.min(uploadAnswer, answer + size / BYTES_PER_MILLISECOND));
}

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








/** How many answers may say that the answer is still to come (1xx): each of them is waited for anew. */
const INTERIM = 10;
/** Connections to one origin that are opened ahead of their requests, at the most. */
const SPARES = 8;
/**
 * A transport over undici with a pool of kept-alive connections for each origin. HTTP/2 is off: ECR speaks 1.1,
 * and parallel uploads want connections of their own.
 */
function createTransport(options) {
    const { proxy } = options;
    const limits = { ...DEFAULT_LIMITS, ...options.limits };
    const connection = { lookup: lookupLocalhost, timeout: limits.connect, allowH2: false };
    // Behind a proxy a connection is the proxy's, and opened by other rules.
    const spares = proxy?.http || proxy?.https
        ? undefined
        : new SpareConnections({ most: SPARES, age: limits.idle }, connection);
    const dispatcher = createDispatcher(options, limits, connection, spares);
    return {
        async send({ method, url, headers, body, signal }) {
            if (body instanceof external_node_stream_.Readable)
                breakOffWhenStalled(body, limits.stall);
            const what = `${method} ${(0,errors/* redactUrl */.BO)(url)}`;
            const answerWithin = answerLimit(limits, body, headers);
            const answer = await (0,undici/* request */.Em)(url, {
                dispatcher,
                method,
                headers: { 'user-agent': options.userAgent, ...headers },
                body: body ?? null,
                ...(signal && { signal }),
                // By default undici closes the connection after each HEAD.
                reset: false,
                headersTimeout: answerWithin,
                bodyTimeout: limits.answer,
                onInfo: refuseMany(what),
            }).catch((error) => {
                throw error instanceof undici/* errors */.sO.HeadersTimeoutError
                    ? new errors/* TimeoutError */.MU(`no answer came for ${Math.round(answerWithin / 1000)} s`, { cause: error })
                    : error;
            });
            const tooLong = (limit) => new errors/* RegistryError */.gl({ method, url }, { status: answer.statusCode, body: `a body of more than ${limit} bytes` });
            return toResponse(answer, what, limits, tooLong);
        },
        prepare: (url) => spares?.prepare(url),
        close() {
            spares?.close();
            return dispatcher.destroy();
        },
    };
}
/** Only an upload may take long to be answered. */
function answerLimit(limits, body, headers = {}) {
    if (!(body instanceof external_node_stream_.Readable))
        return limits.answer;
    return uploadAnswerLimit(limits, Number(headers['content-length'] ?? 0));
}
function createDispatcher({ connections, proxy }, { idle }, connection, spares) {
    const agent = { connections, allowH2: false, keepAliveTimeout: idle };
    if (spares)
        return new undici/* Agent */.g6({ ...agent, connect: spares.connect });
    return new undici/* EnvHttpProxyAgent */.J2({
        ...agent,
        connect: connection,
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
/** Breaks a request off that is put off again and again. */
function refuseMany(what) {
    let count = 0;
    return () => {
        count += 1;
        if (count > INTERIM)
            throw new errors/* TimeoutError */.MU(`${what} has no answer after ${INTERIM} that announce one`);
    };
}
function toResponse(answer, what, { patience, rest }, tooLong) {
    const { body } = answer;
    const header = (name) => {
        const value = answer.headers[name];
        return Array.isArray(value) ? value[0] : value;
    };
    const told = (error) => {
        if (error instanceof errors/* RegistryError */.gl || error instanceof errors/* TimeoutError */.MU)
            throw error;
        throw new Error(`${what}: ${(0,errors/* wordsOf */.Z9)(error)}`, { cause: error });
    };
    return {
        status: answer.statusCode,
        header,
        stream: () => {
            // Whoever sends on what is read here would be taken for the one that failed.
            body.once('error', (error) => {
                if (!(error instanceof errors/* TimeoutError */.MU))
                    error.message = `${what}: ${(0,errors/* wordsOf */.Z9)(error)}`;
            });
            breakOffWhenDripping(body, patience, what);
            return body;
        },
        bytes: async (limit) => {
            const late = new errors/* TimeoutError */.MU(`${what}: the answer did not end within ${patience / 1000} s`);
            const read = () => readAtMost(body, limit, () => tooLong(limit)).catch(told);
            const bytes = await before(body, patience, late, read);
            await connectionFree();
            return bytes;
        },
        drain: async () => {
            await before(body, Math.min(rest, patience), undefined, () => body.dump());
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
