// A CommonJS module under node16 gets the CommonJS twin, with its types.
import realtime = require('@purposepath/realtime');
import react = require('@purposepath/realtime/react');
import testing = require('@purposepath/realtime/testing');

const client: realtime.RealtimeClient = testing.createTestClient(testing.createFakeServer());
const props: react.RealtimeProviderProps = { client };
export = props;
