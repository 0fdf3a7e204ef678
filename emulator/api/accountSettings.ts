import * as z from 'zod/mini';
import { type Operation, operation, registryOf } from './call.ts';

const named = { name: z.string('must not be null') };

/** https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_PutAccountSetting.html */
export const ACCOUNT_SETTING_OPERATIONS: Readonly<Record<string, Operation>> = {
  GetAccountSetting: operation(z.object(named), ({ name }, call) => ({
    name,
    value: registryOf({}, call).accountSettings.get(name),
  })),
  PutAccountSetting: operation(
    z.object({ ...named, value: z.string('must not be null') }),
    ({ name, value }, call) => {
      registryOf({}, call).accountSettings.set(name, value);
      return { name, value };
    },
  ),
};
