import { types } from 'node:util';

/*
 * Jest runs tests in a context with globals of its own, so that an error which Node itself throws would be no
 * `instanceof Error` there, as it is everywhere else.
 */
for (const base of [Error, AggregateError]) {
  const own = (value: unknown): boolean => Function.prototype[Symbol.hasInstance].call(base, value);
  Object.defineProperty(base, Symbol.hasInstance, {
    value(this: unknown, value: unknown): boolean {
      if (this !== base)
        return typeof this === 'function' && Function.prototype[Symbol.hasInstance].call(this, value);
      return own(value) || (types.isNativeError(value) && (base === Error || value.name === base.name));
    },
  });
}
