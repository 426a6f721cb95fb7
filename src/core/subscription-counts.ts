import type { SubscriptionWatcher } from './router.ts';
import type { Subscription } from './subscription.ts';

/** How many subscriptions clients have; what linked brokers ask for is none of theirs. */
export class SubscriptionCounts implements SubscriptionWatcher {
  ordinary = 0;
  shared = 0;

  subscribed(subscription: Subscription): void {
    this.#add(subscription, 1);
  }

  unsubscribed(subscription: Subscription): void {
    this.#add(subscription, -1);
  }

  #add({ subscriber, group }: Subscription, difference: number): void {
    if (subscriber.kind === 'peer') return;
    if (group === null) this.ordinary += difference;
    else this.shared += difference;
  }
}
