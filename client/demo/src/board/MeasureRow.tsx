import type { ReactElement } from 'react';
import { HighlightWrapper, LiveBadge, useLiveBadge } from '@purposepath/realtime/ui';
import type { Command } from '../../domain/commands.js';
import { progressOfMeasure } from '../../domain/state.js';
import type { Measure } from '../../domain/state.js';
import { newId } from '../newId.js';
import { InlineForm } from './InlineForm.js';
import type { Pending } from './optimistic.js';
import { Refusal, waitingProps } from './Waiting.js';
import { amountOf } from './words.js';

/** Props of {@link MeasureRow}. */
export interface MeasureRowProps {
  readonly measure: Measure;
  readonly pending: Pending | undefined;
  readonly run: (command: Command) => void;
  readonly onUndo: (correlationId: string) => void;
}

const WIDTH = 120;
const HEIGHT = 32;

/** The readings as a line, from the least to the greatest of them, with the target as one of them. */
const Line = ({ values, target }: { readonly values: readonly number[]; readonly target: number }): ReactElement => {
  const least = Math.min(target, ...values);
  const span = Math.max(target, ...values) - least || 1;
  const y = (value: number): number => 2 + (HEIGHT - 4) * (1 - (value - least) / span);
  const points = values.map((value, i) => `${(2 + ((WIDTH - 6) * i) / Math.max(1, values.length - 1)).toFixed(1)},${y(value).toFixed(1)}`);
  const [x, last] = (points[points.length - 1] ?? '0,0').split(',');
  return (
    <svg className="line" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} width={WIDTH} height={HEIGHT} aria-hidden="true">
      <line x1="0" x2={WIDTH} y1={y(target)} y2={y(target)} />
      <polyline points={points.join(' ')} />
      <circle cx={x} cy={last} r="2.5" />
    </svg>
  );
};

/** A measure: its latest reading, where it came from and where it is to go. */
export function MeasureRow({ measure, pending, run, onUndo }: MeasureRowProps): ReactElement {
  const { id: measureId, title, unit, baseline, target, readings } = measure;
  const value = readings[readings.length - 1]?.value ?? baseline;
  const { showBadge } = useLiveBadge({ eventType: 'measure.reading_created', where: { kind: 'measure', id: measureId } });
  return (
    <HighlightWrapper as="li" id={measureId} className="row measure" entity={{ kind: 'measure', id: measureId }} tone="success" {...waitingProps(pending)}>
      <div className="row-title">
        {title} <LiveBadge show={showBadge} size="sm" />
      </div>
      <Line values={readings.map((reading) => reading.value)} target={target} />
      <div className="figures">
        <strong>{amountOf(value, unit)}</strong>
        <span>
          {progressOfMeasure(measure, value)}&nbsp;% of the way to {amountOf(target, unit)}
        </span>
      </div>
      <InlineForm label={`Reading${unit && ` in ${unit}`}`} button="Add" type="number" onSubmit={(text) => run({ type: 'measure.reading_created', input: { readingId: newId(), measureId, value: Number(text) } })} />
      <Refusal pending={pending} onUndo={onUndo} />
    </HighlightWrapper>
  );
}
