/** Partner calls by axios and got, with their redirects, retries, time-outs and cancelling. */
import { describeCalls } from '../../support/outbound';

describeCalls('partner calls by clients', 'clients');
